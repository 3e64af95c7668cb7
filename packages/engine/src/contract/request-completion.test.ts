/** Who leads a contract says that it is complete: what is missing, a person's gate, and twice. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ContractInput } from '@makima/contracts/entity/contract';
import { zAskInput } from '@makima/contracts/entity/question';
import { requestMerge } from '../operation/merge.ts';
import { answerQuestion } from '../question/answer.ts';
import { askQuestion } from '../question/ask.ts';
import { messageTask } from '../task/message.ts';
import { sha, TestDaemon } from '../test-daemon.ts';
import { by, openTestEngine, refusal, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { parkingOf } from '../test-parking.ts';
import { contractRow, orderedId, running, stage, taskRow, type Stage } from '../test-stage.ts';
import { changePhase } from './change-phase.ts';
import { cleanContract } from './clean.ts';
import { changeStatus } from './change-status.ts';
import { completeDeliverable } from './complete-deliverable.ts';
import { requestCompletion } from './request-completion.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine({ settings: { autoAdvancePhases: false, completionGraceMs: 60_000 } });
  daemon = await TestDaemon.join(t, { slots: 100 });
});
afterEach(async () => {
  expect(await brokenInvariants(t)).toEqual({});
});
afterAll(() => t.close());

let scene: Stage;
const say = async () =>
  (await requestCompletion(t.engine, by(scene.supervisor), { id: scene.contract.id })).result;
const deliver = (deliverableId: string, text = 'it stands') =>
  completeDeliverable(t.engine, by(t.owner), {
    id: scene.contract.id,
    deliverableId,
    evidence: [{ kind: 'word', text }],
  });
const status = async () => (await contractRow(t, scene.contract.id)).status;

const ask = async (questionType: 'general' | 'phase_confirmation' | 'contract_complete') => {
  const input = zAskInput.parse({ question: 'Fine now?', questionType });
  return (await askQuestion(t.engine, by(scene.supervisor), input)).result.questionId;
};
const tell = (message: string) =>
  messageTask(t.engine, by(t.owner), { id: scene.supervisorTaskId, message, mode: 'queue' });
async function askedAndAnswered(): Promise<void> {
  const id = await ask('general');
  await answerQuestion(t.engine, by(t.owner), { id, response: 'Yes.' });
}
async function merge(): Promise<void> {
  const input = { id: scene.supervisorTaskId, squash: false };
  const operationId = await orderedId(requestMerge(t.engine, by(scene.supervisor), input));
  await scene.daemon.finish(operationId, {
    kind: 'branch.merge',
    success: true,
    message: 'Merged',
    commitSha: sha('a'),
    conflicts: [],
  });
}

/** In its last phase, which owes nothing more. */
async function ready(contract: Partial<ContractInput>): Promise<void> {
  scene = await stage(t, { daemon, contract });
  await deliver('plan-document');
  const id = scene.contract.id;
  await changePhase(t.engine, by(t.owner), { id, phase: 'execute', confirmed: true });
  await deliver('implementation');
}

describe('a contract of which its supervisor says that it is complete', () => {
  it('is told what is missing', async () => {
    scene = await stage(t, { daemon, contract: { phaseGuard: false } });
    const early = await say();
    if (early.outcome !== 'validation_failed') throw new Error(early.outcome);
    expect(early.missing.join(' ')).toMatch(/plan, which is not its last phase.*plan-document/);
    await ready({ phaseGuard: false, autoCompleteEnabled: false });
    const task = await running(scene, { name: 'still at it' });
    const busy = await say();
    expect(busy).toMatchObject({ missing: ["Task 'still at it' is running."] });
    expect(await status()).toBe('active');
    await scene.daemon.ended(task);
  });

  it('needs no process until it is over, or a person says no', async () => {
    for (const end of ['over', 'rejected'] as const) {
      await ready({ phaseGuard: false });
      await say();
      const p = parkingOf(scene, { taskId: scene.supervisorTaskId } as never);
      await p.hears();
      await p.turnEnded();
      await p.park();
      await runJobs(t);
      const about = { id: scene.contract.id };
      if (end === 'rejected') {
        await changeStatus(t.engine, by(t.owner), {
          ...about,
          targetStatus: 'active',
          reason: 'not yet',
        });
        const { start } = await p.woken();
        expect(start.messages.map(({ text }) => text).join()).toContain('not yet');
      } else {
        await t.database.sql`
          update contracts set completion_detected_at = clock() - interval '1 hour' where id = ${about.id}`;
        await cleanContract(t.engine, t.system, { contractId: about.id });
        expect(await taskRow(t, scene.supervisorTaskId)).toMatchObject({ status: 'done' });
      }
    }
  });

  it('begins to complete, and says the same the second time', async () => {
    await ready({ phaseGuard: false });
    const done = await say();
    expect(done).toMatchObject({ outcome: 'success', status: 'completing', phase: 'execute' });
    expect(await say()).toEqual(done);
    expect(await status()).toBe('completing');
  });

  it.each([{ phaseGuard: ['execute'] }, { phaseGuard: false, autoCompleteEnabled: false }])(
    'with %j asks a person, whose no leaves it open and whose yes completes it',
    async (contract) => {
      await ready(contract);
      const asked = await say();
      if (asked.outcome !== 'guard_required') throw new Error(asked.outcome);
      expect(await say()).toEqual(asked);
      expect(await status()).toBe('waiting_for_input');
      const { questionId } = asked;
      const no = 'Send back: the docs are missing';
      await answerQuestion(t.engine, by(t.owner), { id: questionId, response: no });
      expect(await status()).toBe('active');
      // Nothing is new: nobody is asked again, and the agent reads why.
      for (const insist of [say, () => ask('contract_complete')]) {
        expect(await refusal(insist())).toMatchObject({
          code: 'CONFLICT',
          message: expect.stringContaining(no),
          details: { reason: 'sent_back', words: no },
        });
      }
      expect(await status()).toBe('active');
      await deliver('implementation', 'with docs');
      const again = await say();
      if (again.outcome !== 'guard_required') throw new Error(again.outcome);
      expect(again.questionId).not.toBe(questionId);
      await answerQuestion(t.engine, by(t.owner), { id: again.questionId, response: 'Approve' });
      expect(await status()).toBe('completing');
      expect((await say()).outcome).toBe('success');
    },
  );

  const somethingNew: readonly [string, () => Promise<unknown>][] = [
    ['work that was merged', merge],
    ['a word of a person', () => tell('Ask me again.')],
    ['an answer of a person', askedAndAnswered],
  ];
  it.each(somethingNew)('is asked for again after %s', async (_, happens) => {
    scene = await stage(t, { daemon, contract: { phaseGuard: true } });
    await deliver('plan-document');
    const advance = async () => {
      const input = { id: scene.contract.id, phase: 'execute' };
      const { result } = await changePhase(t.engine, by(scene.supervisor), input);
      if (result.outcome !== 'guard_required') throw new Error(result.outcome);
      return result.questionId;
    };
    const first = await advance();
    await answerQuestion(t.engine, by(t.owner), { id: first, response: 'Send back' });
    for (const insist of [advance, () => ask('phase_confirmation')])
      expect((await refusal(insist())).code).toBe('CONFLICT');
    await happens();
    expect(await advance()).not.toBe(first);
  });

  it('does not while it is paused, and not by others', async () => {
    await ready({ phaseGuard: false, autoCompleteEnabled: false });
    const id = scene.contract.id;
    const code = async (work: Promise<unknown>) => (await refusal(work)).code;
    const task = await running(scene);
    const worker = await scene.daemon.agent(task);
    expect(await code(requestCompletion(t.engine, by(worker), { id }))).toBe('NOT_SUPERVISOR');
    await scene.daemon.ended(task);
    const other = await stage(t, { daemon });
    expect(await code(requestCompletion(t.engine, by(other.supervisor), { id }))).toBe(
      'CONTRACT_NOT_FOUND',
    );
    await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'paused' });
    expect(await code(requestCompletion(t.engine, by(t.owner), { id }))).toBe('INVALID_TRANSITION');
    expect(await code(say())).toBe('INVALID_TRANSITION');
    await runJobs(t);
  });
});
