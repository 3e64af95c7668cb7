// A deliverable that was shown, and a branch that moves on: what is not touched holds, what is touched is stale
// until it is shown again.
// Why: a gate that counts on what was lets a phase go whose plan is another by now.
// Law: real merges by real git; what is stale is read where people read it.
import { beforeAll, describe, expect, it } from 'vitest';
import { document, hold, startContract, tell, type Started, type Step } from '../contract.ts';
import { expectInvariants, inOrder, type House } from '../house.ts';

/** Written, committed and merged into the contract's branch, without a deliverable. */
const bring = (file: string, content: string): Step[] => [
  { write: { file, content } },
  { commit: `Write ${file}` },
  { merge: { task: '${task}' } },
];

let house: House;

/** @param houseOf The makima in which it happens, once it stands. */
export function staleDeliverables(houseOf: () => House): void {
  beforeAll(() => {
    house = houseOf();
  });

  describe('a deliverable', () => {
    inOrder(() => house);
    let job: Started;

    const plan = async () => {
      const contract = await house.client.call('getContract', { params: { id: job.id } });
      return contract.deliverables.find(({ id }) => id === 'plan-document');
    };
    const readiness = () => house.client.call('phaseReadiness', { params: { id: job.id } });

    it('holds while merges touch other files', async () => {
      job = await startContract(
        house,
        [
          ...document('plan-document', 'docs/PLAN.md'),
          ...bring('src/roof.txt', 'tiles\n'),
          hold('touch'),
          ...bring('docs/PLAN.md', '# another plan\n'),
          hold('show'),
          { deliverable: { id: 'plan-document', evidence: [{ file: 'docs/PLAN.md' }] } },
          { advance: 'execute' },
          { deliverable: { id: 'implementation', evidence: [{ file: 'src/roof.txt' }] } },
        ],
        { name: 'roof', phaseGuard: ['plan'] },
      );
      await job.story.until('deliverable.completed');
      await job.story.untilMany('operation.finished', 3);
      expect(await plan()).toMatchObject({ completed: true, stale: false });
      expect(await readiness()).toMatchObject({ ready: true, missing: [] });
    });

    it('is stale when a merge touched its file: no gate counts on it', async () => {
      await tell(house.client, job.supervisorId, 'touch');
      const staled = await job.story.until('deliverable.staled');
      expect(staled.data).toMatchObject({
        deliverableId: 'plan-document',
        reason: expect.stringMatching(/^docs\/PLAN\.md was changed after [0-9a-f]{10}$/),
      });
      expect(await plan()).toMatchObject({ completed: true, stale: true });
      expect(await readiness()).toMatchObject({
        ready: false,
        missing: [{ kind: 'deliverable', id: 'plan-document' }],
      });
      await expect(
        house.client.call('changePhase', {
          params: { id: job.id },
          body: { phase: 'execute', confirmed: true },
        }),
      ).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    });

    it('counts again when it is shown again, and the contract comes to its end', async () => {
      await tell(house.client, job.supervisorId, 'show');
      const asked = await job.story.until(
        'question.asked',
        ({ seq }) =>
          (seq ?? 0) > (job.story.events.find((e) => e.type === 'deliverable.staled')?.seq ?? 0),
      );
      await house.client.call('answerQuestion', {
        params: { id: String(asked.data['questionId']) },
        body: { response: 'Approve' },
      });
      expect(await job.story.end()).toBe('completed');
      expect(await plan()).toMatchObject({ completed: true, stale: false });
      job.story.close();
      await expectInvariants(house);
    });
  });
}
