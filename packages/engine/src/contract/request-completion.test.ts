/** Who leads a contract says that it is complete: what is missing, a person's gate, and twice. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ContractInput } from '@makima/contracts/entity/contract';
import { answerQuestion } from '../question/answer.ts';
import { by, openTestEngine, refusal, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { contractRow, running, stage, type Stage } from '../test-stage.ts';
import { changePhase } from './change-phase.ts';
import { changeStatus } from './change-status.ts';
import { completeDeliverable } from './complete-deliverable.ts';
import { requestCompletion } from './request-completion.ts';

let t: TestEngine;
beforeAll(async () => {
  t = await openTestEngine({ settings: { autoAdvancePhases: false, completionGraceMs: 60_000 } });
});
afterEach(async () => {
  expect(await brokenInvariants(t)).toEqual({});
});
afterAll(() => t.close());

let scene: Stage;
const say = async () =>
  (await requestCompletion(t.engine, by(scene.supervisor), { id: scene.contract.id })).result;
const deliver = (deliverableId: string) =>
  completeDeliverable(t.engine, by(t.owner), {
    id: scene.contract.id,
    deliverableId,
    evidence: [{ kind: 'word', text: 'it stands' }],
  });
const status = async () => (await contractRow(t, scene.contract.id)).status;

/** In its last phase, which owes nothing more. */
async function ready(contract: Partial<ContractInput>): Promise<void> {
  scene = await stage(t, { contract });
  await deliver('plan-document');
  const id = scene.contract.id;
  await changePhase(t.engine, by(t.owner), { id, phase: 'execute', confirmed: true });
  await deliver('implementation');
}

describe('a contract of which its supervisor says that it is complete', () => {
  it('is told what is missing', async () => {
    scene = await stage(t, { contract: { phaseGuard: false } });
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
      await answerQuestion(t.engine, by(t.owner), { id: questionId, response: 'Send back' });
      expect(await status()).toBe('active');
      const again = await say();
      if (again.outcome !== 'guard_required') throw new Error(again.outcome);
      expect(again.questionId).not.toBe(questionId);
      await answerQuestion(t.engine, by(t.owner), { id: again.questionId, response: 'Approve' });
      expect(await status()).toBe('completing');
      expect((await say()).outcome).toBe('success');
    },
  );

  it('does not while it is paused, and not by others', async () => {
    await ready({ phaseGuard: false, autoCompleteEnabled: false });
    const id = scene.contract.id;
    const code = async (work: Promise<unknown>) => (await refusal(work)).code;
    const task = await running(scene);
    const worker = await scene.daemon.agent(task);
    expect(await code(requestCompletion(t.engine, by(worker), { id }))).toBe('NOT_SUPERVISOR');
    await scene.daemon.ended(task);
    const other = await stage(t);
    expect(await code(requestCompletion(t.engine, by(other.supervisor), { id }))).toBe(
      'CONTRACT_NOT_FOUND',
    );
    await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'paused' });
    expect(await code(requestCompletion(t.engine, by(t.owner), { id }))).toBe('INVALID_TRANSITION');
    expect(await code(say())).toBe('INVALID_TRANSITION');
    await runJobs(t);
  });
});
