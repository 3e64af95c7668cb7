// What becomes of finished work by itself: merged, handed over to another repository, told when it cannot be.
// Why: nobody looks while it happens.
// Law: seen in the repositories of the person, not in the rows.
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { document, hold, spawn, startContract, taskNamed, tell, type Step } from '../contract.ts';
import { expectInvariants, inOrder, type House } from '../house.ts';
import { filesOn, git, makeRepository } from '../repository.ts';

let house: House;

const piece = (name: string, content = name): Step[] => [
  { write: { file: `${name}.txt`, content: `${content}\n` } },
  { commit: `Make ${name}` },
  { done: `${name} is made` },
];
const finish: Step[] = [
  ...document('plan-document', 'PLAN.md'),
  { advance: 'execute' },
  { deliverable: { id: 'implementation', evidence: [{ file: 'PLAN.md' }] } },
];

/** @param houseOf The makima in which it happens, once it stands. */
export function finishedWork(houseOf: () => House): void {
  beforeAll(() => {
    house = houseOf();
  });

  describe('a finished task', () => {
    inOrder(() => house);

    it('is merged, and its branch handed over, without anybody’s doing', async () => {
      const repo = makeRepository(join(house.dir, 'repos', 'acting'));
      const second = makeRepository(join(house.dir, 'repos', 'second'));
      const job = await startContract(
        house,
        [
          spawn('merged', piece('merged'), { extra: { completionAction: 'merge' } }),
          spawn('handed', piece('handed'), {
            extra: { completionAction: 'branch', targetRepoPath: second },
          }),
          { wait: ['${merged}', '${handed}'] },
          hold('go on'),
          ...finish,
        ],
        {
          name: 'acting',
          repositories: [{ localPath: repo, isPrimary: true }, { localPath: second }],
        },
      );
      const [merged, handed] = await Promise.all(
        ['merged', 'handed'].map((name) => taskNamed(job, name)),
      );
      await job.story.until('task.merged', ({ taskId }) => taskId === merged);
      await job.story.until(
        'operation.finished',
        ({ taskId, data }) => taskId === handed && data['kind'] === 'branch.hand_over',
      );
      const name = `makima/acting.handed-${handed?.slice(-6)}-a1`;
      expect(filesOn(second, name)).toEqual(['README.md', 'handed.txt']);
      expect(git(second, 'rev-parse', '--abbrev-ref', 'HEAD')).toBe('main');
      await tell(house.client, job.supervisorId, 'go on');
      expect(await job.story.end()).toBe('completed');
      expect(filesOn(repo, job.branch)).toEqual(['PLAN.md', 'README.md', 'merged.txt']);
      job.story.close();
    });

    it('whose work does not fit is left as it is, and its supervisor is told', async () => {
      const job = await startContract(
        house,
        [
          spawn('first', piece('same', 'first'), { extra: { completionAction: 'merge' } }),
          spawn('second', [hold('go'), ...piece('same', 'second')], {
            extra: { completionAction: 'merge' },
          }),
          hold('Completion action failed'),
          { say: 'it was told' },
          ...finish,
        ],
        { name: 'clashing' },
      );
      const [first, second = ''] = await Promise.all(
        ['first', 'second'].map((name) => taskNamed(job, name)),
      );
      await job.story.until('task.started', ({ taskId }) => taskId === second);
      await job.story.until('task.merged', ({ taskId }) => taskId === first);
      await tell(house.client, second, 'go');
      const { data } = await job.story.until('task.action_failed');
      expect(data).toMatchObject({ action: 'merge', reason: 'Conflicts in same.txt' });
      expect(await job.story.end()).toBe('completed');
      const { status } = await house.client.call('getTask', { params: { id: second } });
      expect(status).toBe('done');
      job.story.close();
      await expectInvariants(house);
    });
  });
}
