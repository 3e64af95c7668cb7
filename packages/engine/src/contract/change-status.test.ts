/** What people do with a contract's status, and what follows for its agents. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zAskInput } from '@makima/contracts/entity/question';
import {
  contractStatuses,
  contractTransitions,
  type ContractStatus,
} from '@makima/domain/contract';
import { assignPending } from '../task/assign.ts';
import { askQuestion } from '../question/ask.ts';
import { changePhase } from './change-phase.ts';
import { changeStatus, type StatusChange } from './change-status.ts';
import { cleanContract } from './clean.ts';
import { completeDeliverable } from './complete-deliverable.ts';
import { evaluateContract } from './evaluate.ts';
import { getContract } from './get.ts';
import { inbox } from '../question/inbox.ts';
import { retryTask } from '../task/retry.ts';
import { requeueDue } from '../outbox/requeue.ts';
import { runContractTimers } from './timers.ts';
import { whyContract } from './why.ts';
import { cleanUp } from '../test-clean-up.ts';
import { TestDaemon } from '../test-daemon.ts';
import {
  by,
  eventsOf,
  newContract,
  openTestEngine,
  refusal,
  runJobs,
  type TestEngine,
} from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { contractRow, running, spawned, stage, taskRow, type Stage } from '../test-stage.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine({ connections: 24, settings: { completionGraceMs: 600_000 } });
  daemon = await TestDaemon.join(t, { slots: 300 });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

const set = async (
  id: string,
  targetStatus: ContractStatus,
  words: { reason?: string; blocker?: string; finishTurnSeconds?: number } = {},
): Promise<StatusChange> =>
  (await changeStatus(t.engine, by(t.owner), { id, targetStatus, ...words })).result;
const word = (id: string, deliverableId: string) =>
  completeDeliverable(t.engine, by(t.owner), {
    id,
    deliverableId,
    evidence: [{ kind: 'word', text: 'seen' }],
  });

/** In the last phase with its gate met, and not yet looked at. */
const finished = async (autoCompleteEnabled = true): Promise<Stage> => {
  const scene = await stage(t, { daemon, contract: { phaseGuard: false, autoCompleteEnabled } });
  await word(scene.contract.id, 'plan-document');
  await changePhase(t.engine, by(t.owner), { id: scene.contract.id, phase: 'execute' });
  await word(scene.contract.id, 'implementation');
  return scene;
};
describe('the table', () => {
  it('is kept: what it does not allow is refused with the reason, and nothing changes', async () => {
    for (const from of contractStatuses) {
      const { id } = await newContract(t, { start: false });
      await t.database.sql`alter table contracts disable trigger contracts_refuse`;
      await t.database.sql`
        update contracts set status = ${from}, waiting_for = ${from === 'waiting_for_input' ? 'question' : null},
               blocked_reason = 'x', failure_reason = 'x' where id = ${id}`;
      await t.database.sql`alter table contracts enable trigger contracts_refuse`;
      for (const to of contractStatuses.filter(
        (status) => !contractTransitions[from].includes(status),
      )) {
        const error = await refusal(set(id, to, { reason: 'because' }));
        expect(error, `${from} -> ${to}`).toMatchObject({
          code: 'INVALID_TRANSITION',
          details: { previousStatus: from, newStatus: from, rejectionReason: error.message },
        });
        // Nobody is told to wait for what has ended.
        const hasEnded = ['completed', 'failed', 'archived'].includes(from);
        expect(error.fix).toContain(hasEnded ? 'it has ended' : 'makima');
      }
      expect((await contractRow(t, id)).status).toBe(from);
      await t.database.sql`delete from contracts where id = ${id}`;
    }
  });

  it('asks for conditions: a blocker, a supervisor, a met gate', async () => {
    const { id } = await newContract(t, { start: false });
    expect((await refusal(set(id, 'active'))).message).toContain('no supervisor task');
    const { contract } = await stage(t, { daemon });
    expect((await refusal(set(contract.id, 'blocked'))).message).toContain('needs a blocker');
    expect((await refusal(set(contract.id, 'completing'))).message).toContain(
      'not in its last phase',
    );
    expect(await set(contract.id, 'blocked', { blocker: 'the licence server is down' })).toEqual({
      success: true,
      previousStatus: 'active',
      newStatus: 'blocked',
      rejectionReason: null,
    });
    const mine = (await inbox(t.engine, t.owner)).items.find(
      (item) => item.contractId === contract.id,
    );
    expect(mine).toMatchObject({ kind: 'blocked', title: 'the licence server is down' });
    expect(await set(contract.id, 'active')).toMatchObject({ newStatus: 'active' });
  });
});

describe('a pause', () => {
  it('stops agents, starts nothing, and lets everything go on when it is over', async () => {
    const scene = await stage(t, { daemon });
    const id = scene.contract.id;
    const works = await running(scene, { name: 'works' });
    const waits = await spawned(scene, { name: 'waits' });
    await set(id, 'paused', { reason: 'lunch' });
    const stops = await daemon.pullOnly('task.stop');
    expect(stops.map((s) => [s.taskId, s.reason])).toEqual([
      [scene.supervisorTaskId, 'paused'],
      [works.taskId, 'paused'],
    ]);
    await runJobs(t);
    expect((await taskRow(t, waits.id)).status).toBe('pending');
    const error = await refusal(spawned(scene, { name: 'refused' }));
    expect(error).toMatchObject({ code: 'INVALID_TRANSITION', details: { status: 'paused' } });
    await daemon.ended(works, { outcome: 'stopped' });
    expect((await taskRow(t, works.taskId)).status).toBe('paused');

    // The supervisor has not reported its end when the contract goes on: it waits for that, and no longer.
    await set(id, 'active');
    await runJobs(t);
    expect(await taskRow(t, works.taskId)).toMatchObject({
      status: 'starting',
      currentAttempt: 2,
      retryCount: 0,
    });
    expect((await taskRow(t, waits.id)).status).toBe('starting');
    expect(await taskRow(t, scene.supervisorTaskId)).toMatchObject({
      status: 'pending',
      currentAttempt: 1,
    });
    await daemon.ended({ taskId: scene.supervisorTaskId, attempt: 1 }, { outcome: 'stopped' });
    await runJobs(t);
    const starts = await daemon.pullOnly('task.start');
    expect(starts.find((s) => s.taskId === scene.supervisorTaskId)).toMatchObject({
      attempt: 2,
      resumeSession: true,
    });
    for (const start of starts) await daemon.started(start);
    const [row] = await t.database
      .sql`select state, epoch from supervisors where task_id = ${scene.supervisorTaskId}`;
    expect(row).toEqual({ state: 'working', epoch: 2 });
  });

  it('lets agents end their turns, and brings each back in its conversation', async () => {
    const scene = await stage(t, { daemon });
    const id = scene.contract.id;
    const works = await running(scene, { name: 'works' });
    const ends = await running(scene, { name: 'ends' });
    await set(id, 'paused', { finishTurnSeconds: 600 });
    const stops = await daemon.pullOnly('task.stop');
    expect(stops.map((s) => [s.taskId, s.reason, s.finishTurnMs])).toEqual(
      [scene.supervisorTaskId, works.taskId, ends.taskId].map((task) => [task, 'paused', 600_000]),
    );
    expect((await taskRow(t, works.taskId)).status).toBe('running');
    expect(await whyContract(t.engine, t.owner, { id })).toMatchObject({
      moving: true,
      summary: 'A person paused the contract; 3 agents end their turns.',
    });
    expect(await refusal(spawned(scene, { name: 'refused' }))).toMatchObject({
      code: 'INVALID_TRANSITION',
    });
    await daemon.ended(ends, { summary: 'made it' });
    await daemon.ended(works, { outcome: 'stopped' });
    expect((await taskRow(t, ends.taskId)).status).toBe('done');
    expect(await taskRow(t, works.taskId)).toMatchObject({ status: 'paused', session: 'none' });

    // The supervisor ends its turn after the contract was resumed: it goes on at once.
    await set(id, 'active');
    await daemon.ended({ taskId: scene.supervisorTaskId, attempt: 1 }, { outcome: 'stopped' });
    await runJobs(t);
    const starts = await daemon.pullOnly('task.start');
    const back = { attempt: 2, resumeSession: true };
    expect(starts.find((s) => s.taskId === scene.supervisorTaskId)).toMatchObject(back);
    expect(starts.find((s) => s.taskId === works.taskId)).toMatchObject(back);
    expect((await taskRow(t, works.taskId)).retryCount).toBe(0);
  });

  it('is hurried by a second one, and counts who died in its turn as interrupted', async () => {
    const scene = await stage(t, { daemon });
    const id = scene.contract.id;
    const works = await running(scene, { name: 'works' });
    await set(id, 'paused', { finishTurnSeconds: 600 });
    await daemon.pull();
    await daemon.ended(works, { outcome: 'crashed', exitCode: 1 });
    expect((await taskRow(t, works.taskId)).status).toBe('interrupted');
    expect(await set(id, 'paused')).toMatchObject({ success: true, newStatus: 'paused' });
    const [stop] = await daemon.pullOnly('task.stop');
    expect(stop).toMatchObject({ taskId: scene.supervisorTaskId, reason: 'paused' });
    expect(stop?.finishTurnMs).toBeUndefined();
    await daemon.ended({ taskId: scene.supervisorTaskId, attempt: 1 }, { outcome: 'stopped' });
    expect((await refusal(set(id, 'paused'))).code).toBe('INVALID_TRANSITION');
    await set(id, 'active');
    await runJobs(t);
    const starts = await daemon.pullOnly('task.start');
    expect(starts.map((s) => s.taskId).toSorted()).toEqual(
      [scene.supervisorTaskId, works.taskId].toSorted(),
    );
  });

  it('keeps what was done before the stop came', async () => {
    const scene = await stage(t, { daemon });
    const first = await running(scene, { name: 'first' });
    const second = await running(scene, { name: 'second' });
    await set(scene.contract.id, 'paused');
    await daemon.ended(first, { summary: 'made it' });
    expect(await taskRow(t, first.taskId)).toMatchObject({
      status: 'done',
      outputSummary: 'made it',
    });
    await set(scene.contract.id, 'active');
    await daemon.ended(second, { summary: 'made it too' });
    expect(await taskRow(t, second.taskId)).toMatchObject({ status: 'done', currentAttempt: 1 });
  });

  it('and a spawn take turns: nothing is spawned or placed after it', async () => {
    for (let round = 0; round < 5; round += 1) {
      const scene = await stage(t, { daemon });
      const id = scene.contract.id;
      const spawns = Array.from({ length: 8 }, (_, i) => spawned(scene, { name: `t${i}` }));
      const assigns = Array.from({ length: 4 }, () => assignPending(t.engine, t.system));
      await Promise.allSettled([
        ...spawns.slice(0, 4),
        ...assigns,
        set(id, 'paused'),
        ...spawns.slice(4),
      ]);
      await runJobs(t);
      const events = await eventsOf(t, id);
      const pausedAt = events.find((e) => e.data['to'] === 'paused')?.seq ?? 0;
      const after = events.filter((e) => e.seq > pausedAt).map((e) => e.type);
      expect(after).not.toContain('task.spawned');
      expect(after).not.toContain('task.assigned');
      const busy = await t.database.sql`
        select 1 from tasks where contract_id = ${id} and status in ('starting', 'running')`;
      expect(busy).toHaveLength(0);
      for (const stop of await daemon.pullOnly('task.stop'))
        await daemon.ended(stop, { outcome: 'stopped' });
      await set(id, 'active');
      await set(id, 'paused');
    }
  });

  it('leaves open questions open, and waits for them again', async () => {
    const scene = await stage(t, { daemon });
    await askQuestion(t.engine, by(scene.supervisor), zAskInput.parse({ question: 'Which?' }));
    await set(scene.contract.id, 'paused');
    expect(await contractRow(t, scene.contract.id)).toMatchObject({
      status: 'paused',
      waitingFor: null,
    });
    await set(scene.contract.id, 'active');
    expect(await contractRow(t, scene.contract.id)).toMatchObject({
      status: 'waiting_for_input',
      waitingFor: 'question',
    });
  });

  it('of one task ends by a word, in the next attempt', async () => {
    const scene = await stage(t, { daemon });
    const task = await running(scene, { name: 'rests' });
    await daemon.ended(task, { outcome: 'stopped' });
    await retryTask(t.engine, by(scene.supervisor), { id: task.taskId });
    await runJobs(t);
    expect(await taskRow(t, task.taskId)).toMatchObject({ status: 'starting', currentAttempt: 2 });
  });
});

describe('completion', () => {
  it('waits for its grace, which a person may cut short', async () => {
    const scene = await finished();
    const id = scene.contract.id;
    await runJobs(t);
    expect((await contractRow(t, id)).status).toBe('completing');
    expect((await cleanContract(t.engine, t.system, { contractId: id })).result).toBe('not_yet');
    expect(await set(id, 'completed')).toMatchObject({
      success: true,
      previousStatus: 'completing',
      newStatus: 'completing',
    });
    const [yes] = await t.database
      .sql`select kind, state, decided_by_user_id from confirmations where contract_id = ${id}`;
    expect(yes).toEqual({ kind: 'completion', state: 'approved', decidedByUserId: t.owner.userId });
    await cleanUp(t, daemon);
    expect(await getContract(t.engine, t.owner, { id })).toMatchObject({
      status: 'completed',
      keptRefs: [{ why: 'unmerged at clean-up' }],
    });
  });

  it('comes by itself when the grace is over, even if the mail was lost', async () => {
    const scene = await finished();
    const id = scene.contract.id;
    await runJobs(t);
    await t.database.sql`delete from outbox where queue = 'clean-contract'`;
    expect(await runContractTimers(t.engine)).toBe(0);
    await t.database
      .sql`update contracts set completion_detected_at = clock() - interval '11 minutes' where id = ${id}`;
    expect(await runContractTimers(t.engine)).toBe(1);
    expect(await runContractTimers(t.engine)).toBe(0);
    await cleanUp(t, daemon);
    expect((await contractRow(t, id)).status).toBe('completed');
  });

  it('waits for no grace once a person has confirmed, though the mail was lost', async () => {
    const scene = await finished();
    const id = scene.contract.id;
    await runJobs(t);
    await set(id, 'completed');
    // Redis lost the ticket, and nothing of it is left to be sent.
    await t.database.sql`delete from outbox where queue = 'clean-contract'`;
    await requeueDue(t.engine, { olderThanMs: 0 });
    expect(await runJobs(t)).toMatchObject({ 'clean-contract': 1 });
    await t.database.sql`delete from outbox where queue = 'clean-contract'`;
    expect(await runContractTimers(t.engine)).toBe(1);
    await cleanUp(t, daemon);
    expect((await contractRow(t, id)).status).toBe('completed');
  });

  it('may be rejected: back to work, and then it asks', async () => {
    const scene = await finished();
    const id = scene.contract.id;
    await runJobs(t);
    await daemon.pull();
    expect(await set(id, 'active', { reason: 'the docs are missing' })).toMatchObject({
      previousStatus: 'completing',
      newStatus: 'active',
    });
    const [message] = await daemon.pullOnly('task.message');
    expect(message?.message.text).toContain('the docs are missing');
    await runJobs(t);
    expect((await contractRow(t, id)).status).toBe('active');
    expect((await cleanContract(t.engine, t.system, { contractId: id })).result).toBe('nothing');
    expect((await evaluateContract(t.engine, t.system, { contractId: id })).result).toBe('asked');
    expect(await contractRow(t, id)).toMatchObject({
      status: 'waiting_for_input',
      waitingFor: 'completion_confirmation',
    });
    expect(await set(id, 'completing')).toMatchObject({ newStatus: 'completing' });
    await cleanUp(t, daemon);
    expect((await contractRow(t, id)).status).toBe('completed');
  });

  it('cannot be rejected when the clean-up has begun', async () => {
    const scene = await finished();
    const id = scene.contract.id;
    await runJobs(t);
    await set(id, 'completed');
    await runJobs(t);
    const error = await refusal(set(id, 'active'));
    expect(error).toMatchObject({ code: 'INVALID_TRANSITION' });
    expect(error.message).toContain('clean-up has begun');
    await cleanUp(t, daemon);
  });
});
