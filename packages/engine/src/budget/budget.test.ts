/** Budgets: a warning, a stop with a question, an answer that lets everybody go on; and who may not raise one. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ContractInput } from '@makima/contracts/entity/contract';
import type { SpawnInput } from '@makima/contracts/entity/task';
import type { CommandOf } from '@makima/contracts/socket/commands';
import type { Usage } from '@makima/contracts/socket/reports';
import { changeStatus } from '../contract/change-status.ts';
import { getContract } from '../contract/get.ts';
import { patchContract } from '../contract/patch.ts';
import { whyContract } from '../contract/why.ts';
import { expireLeases } from '../daemon/expire-leases.ts';
import { answerQuestion } from '../question/answer.ts';
import { listQuestions } from '../question/get.ts';
import { inbox } from '../question/inbox.ts';
import { getTask } from '../task/get.ts';
import { whyTask } from '../task/why.ts';
import { endedReport, TestDaemon } from '../test-daemon.ts';
import {
  by,
  eventsOf,
  openTestEngine,
  personOf,
  refusal,
  runJobs,
  type TestEngine,
} from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { contractRow, running, spawned, stage, taskRow, type Stage } from '../test-stage.ts';

let t: TestEngine;
/** Each test has an agent of its own, so that none is placed beside another's. */
let agent: string;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine({ connections: 24 });
});
beforeEach(async () => {
  agent = `agent-${randomUUID().slice(0, 8)}`;
  daemon = await TestDaemon.join(t, { slots: 20, agents: [agent] });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

const usd = (dollars: number) => ({ tokens: null, costMicros: dollars * 1_000_000 });
const scene = (budget: ContractInput['budget'] = usd(10)) =>
  stage(t, { daemon, contract: { budget, agent } });
type Of = { readonly taskId: string; readonly attempt: number };
const used = (dollars: number, outputTokens = 0): Usage => ({
  inputTokens: 0,
  outputTokens,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  conversationCostMicros: dollars * 1_000_000,
  model: null,
});
const tells = async ({ taskId, attempt }: Of, dollars: number, tokens = 0): Promise<void> => {
  await daemon.report({ kind: 'task.used', taskId, attempt, usage: used(dollars, tokens) });
  await runJobs(t);
};
const works = (s: Stage, input: Partial<SpawnInput> = {}) =>
  running(s, { name: 'works', ...input });
const view = (s: Stage) => getContract(t.engine, t.owner, { id: s.contract.id });
const told = async (s: Stage, type: string) =>
  (await eventsOf(t, s.contract.id)).filter((event) => event.type === type);
const asked = async (s: Stage) =>
  (
    await listQuestions(t.engine, t.owner, {
      status: 'open',
      contractId: s.contract.id,
      limit: 50,
    })
  ).items;
const answer = async (s: Stage, response: string) => {
  const [question] = await asked(s);
  const done = await answerQuestion(t.engine, by(t.owner), { id: question?.id ?? '', response });
  await runJobs(t);
  return done;
};
/** The stopped agents have ended, and what they are told next. */
async function end(...attempts: Of[]): Promise<void> {
  for (const of of attempts) await daemon.ended(of, { outcome: 'stopped', commitSha: null });
  await runJobs(t);
}
const starts = async (): Promise<CommandOf<'task.start'>[]> => {
  await runJobs(t);
  return daemon.pullOnly('task.start');
};
const supervisorOf = (s: Stage): Of => ({ taskId: s.supervisorTaskId, attempt: 1 });

describe('a budget of a contract', () => {
  it('warns once at 80 %, in an event and in the inbox', async () => {
    const s = await scene();
    const task = await works(s);
    await tells(task, 7.99);
    expect(await told(s, 'budget.warned')).toEqual([]);
    await tells(task, 8);
    await tells(task, 9);
    expect((await told(s, 'budget.warned')).map(({ data }) => data)).toEqual([
      expect.objectContaining({ scope: 'contract', words: '$8.00 of $10.00 (80 %)' }),
    ]);
    const items = (await inbox(t.engine, t.owner)).items.filter(
      ({ contractId }) => contractId === s.contract.id,
    );
    expect(items).toEqual([
      expect.objectContaining({
        kind: 'budget',
        title: 'Most of its budget is used: $9.00 of $10.00 (90 %)',
        act: `makima contracts budget ${s.contract.slug} <dollars>`,
      }),
    ]);
    expect(await taskRow(t, task.taskId)).toMatchObject({ status: 'running' });
  });

  it('stops everybody at 100 %, starts nobody, says why, and asks', async () => {
    const s = await scene();
    const task = await works(s);
    const waits = await spawned(s, { name: 'waits', needs: [] });
    await t.database
      .sql`update tasks set resume_at = clock() + interval '1 hour' where id = ${waits.id}`;
    await tells(task, 10.2);
    await t.database.sql`update tasks set resume_at = null where id = ${waits.id}`;
    const stops = await daemon.pullOnly('task.stop');
    expect(stops.map(({ taskId }) => taskId).toSorted()).toEqual(
      [task.taskId, s.supervisorTaskId].toSorted(),
    );
    await end(task, supervisorOf(s));
    expect(await starts()).toEqual([]);
    expect(await contractRow(t, s.contract.id)).toMatchObject({
      status: 'waiting_for_input',
      waitingFor: 'question',
    });
    expect((await view(s)).budget).toMatchObject({ heldAt: expect.any(String) as string });
    const questions = await asked(s);
    expect(questions).toEqual([
      expect.objectContaining({
        question: `The budget of "${s.contract.name}" is used up: $10.20 of $10.00 (102 %). Its agents are stopped; their work and conversations are kept. What then?`,
        choices: ['Raise by $10.00', 'Go on once', 'Stop it'],
        askedBy: null,
        nonBlocking: false,
      }),
    ]);
    const act = `makima answer ${questions[0]?.id} "Raise by $10.00"`;
    const blocker = { kind: 'budget', whoCanAct: 'person', act };
    for (const id of [task.taskId, waits.id, s.supervisorTaskId]) {
      const why = await whyTask(t.engine, t.owner, { id });
      expect(why.blockers).toEqual([expect.objectContaining(blocker)]);
      expect(why.summary).toBe('The budget of its contract is used up: $10.20 of $10.00 (102 %).');
    }
    const why = await whyContract(t.engine, t.owner, { id: s.contract.id });
    expect(why).toMatchObject({ moving: false, blockers: [blocker] });
  });

  it('raised, lets everybody go on in their conversations', async () => {
    const s = await scene();
    const task = await works(s);
    await tells(task, 10.2);
    await end(task, supervisorOf(s));
    await answer(s, 'raise by $5');
    const begun = await starts();
    expect(
      begun.map(({ taskId, attempt, resumeSession }) => [taskId, attempt, resumeSession]),
    ).toHaveLength(2);
    expect(begun).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ taskId: task.taskId, attempt: 2, resumeSession: true }),
        expect.objectContaining({ taskId: s.supervisorTaskId, attempt: 2, resumeSession: true }),
      ]),
    );
    expect(await view(s)).toMatchObject({
      status: 'active',
      // From what was spent.
      budget: { costMicros: 15_200_000, heldAt: null },
    });
    expect(await taskRow(t, task.taskId)).toMatchObject({ retryCount: 0, errorMessage: null });
    expect(await told(s, 'budget.raised')).toHaveLength(1);
    for (const start of begun) await daemon.started(start);
    // Its conversation had cost 10.20 before: this attempt is charged the rest alone.
    await tells({ taskId: task.taskId, attempt: 2 }, 12.5);
    expect(await told(s, 'budget.warned')).toHaveLength(1);
    expect((await view(s)).usage.costMicros).toBe(12_500_000);
  });

  it('raised while its agents are being stopped, starts them when they have ended', async () => {
    const s = await scene();
    const task = await works(s);
    await tells(task, 10.2);
    await answer(s, 'Raise by $10.00');
    expect(await starts()).toEqual([]);
    await daemon.ended(task, { outcome: 'stopped', commitSha: null, usage: used(10.4) });
    await end(supervisorOf(s));
    expect((await starts()).map(({ attempt }) => attempt)).toEqual([2, 2]);
    expect(await told(s, 'budget.reached')).toHaveLength(1);
  });

  it('let go on once, stays as it is and asks again a tenth later', async () => {
    const s = await scene();
    const task = await works(s);
    await tells(task, 10.2);
    await end(task, supervisorOf(s));
    await answer(s, 'Go on once');
    const begun = await starts();
    expect(begun).toHaveLength(2);
    for (const start of begun) await daemon.started(start);
    expect((await view(s)).budget).toMatchObject({ costMicros: 10_000_000, heldAt: null });
    await tells({ taskId: task.taskId, attempt: 2 }, 11.1);
    expect(await asked(s)).toEqual([]);
    await tells({ taskId: task.taskId, attempt: 2 }, 11.2);
    expect(await asked(s)).toEqual([
      expect.objectContaining({ question: expect.stringContaining('$11.20 of $10.00') as string }),
    ]);
    expect(await told(s, 'budget.reached')).toHaveLength(2);
  });

  it('stopped by the answer, ends the contract as cancelled', async () => {
    const s = await scene();
    const task = await works(s);
    await tells(task, 10.2);
    await answer(s, 'Stop it');
    const { status, failureReason } = await view(s);
    expect({ status, failureReason }).toMatchObject({ status: 'failed' });
    expect(failureReason).toMatch(/^cancelled: .* stopped it at its budget$/);
    expect(await asked(s)).toEqual([]);
  });

  it('is reached by tokens too, and a raise of what is not used up is refused', async () => {
    const s = await scene({ tokens: 1_000, costMicros: 10_000_000 });
    const task = await works(s);
    await tells(task, 1, 1_200);
    const [question] = await asked(s);
    expect(question?.choices[0]).toBe('Raise by 1000 tokens');
    for (const response of ['raise by $5', 'yes please', 'raise']) {
      const call = answerQuestion(t.engine, by(t.owner), { id: question?.id ?? '', response });
      expect(await refusal(call)).toMatchObject({ code: 'VALIDATION_FAILED' });
    }
    await answer(s, 'raise by 1k tokens');
    expect((await view(s)).budget).toMatchObject({ tokens: 2_200, costMicros: 10_000_000 });
  });

  it('used by two agents at once stops and asks once', async () => {
    const s = await scene();
    const other = await TestDaemon.join(t, { agents: ['another'] });
    const one = await works(s, { name: 'one' });
    const two = await works(s, { name: 'two' });
    await t.database
      .sql`update task_attempts set daemon_id = ${other.id} where task_id = ${two.taskId}`;
    const { taskId, attempt } = two;
    await Promise.all([
      daemon.report({ kind: 'task.used', taskId: one.taskId, attempt, usage: used(6) }),
      other.report({ kind: 'task.used', taskId, attempt, usage: used(6) }),
    ]);
    await Promise.all([runJobs(t), runJobs(t)]);
    expect(await asked(s)).toHaveLength(1);
    expect(await told(s, 'budget.reached')).toHaveLength(1);
    // The report comes again: nothing of it is news.
    await other.send(other.seq, [{ kind: 'task.used', taskId, attempt, usage: used(6) }]);
    await other.report({ kind: 'task.used', taskId, attempt, usage: used(6) });
    await runJobs(t);
    expect(await asked(s)).toHaveLength(1);
    expect((await view(s)).usage.costMicros).toBe(12_000_000);
  });

  it('answered by two people at once is raised once', async () => {
    const s = await scene();
    await tells(await works(s), 10);
    const [question] = await asked(s);
    const id = question?.id ?? '';
    const both = await Promise.allSettled([
      answerQuestion(t.engine, by(t.owner), { id, response: 'Raise by $10.00' }),
      answerQuestion(t.engine, by(t.owner), { id, response: 'Raise by $10.00' }),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect((await view(s)).budget?.costMicros).toBe(20_000_000);
  });

  it('that a late report passes again after the answer is asked about again', async () => {
    const s = await scene();
    const task = await works(s);
    await tells(task, 10);
    await answer(s, 'raise by $1');
    await daemon.ended(task, { outcome: 'stopped', commitSha: null, usage: used(11.5) });
    await end(supervisorOf(s));
    expect(await starts()).toEqual([]);
    expect(await asked(s)).toEqual([
      expect.objectContaining({ question: expect.stringContaining('$11.50 of $11.00') as string }),
    ]);
  });

  it('is passed by an attempt that was given up, too, and by those that follow', async () => {
    const s = await scene();
    const task = await works(s);
    await tells(task, 4);
    await t.database.sql`
      update task_attempts set lease_expires_at = clock() - interval '1 s' where task_id = ${task.taskId}`;
    await expireLeases(t.engine, { limit: 100 });
    const [second] = await starts();
    if (second === undefined) throw new Error('it did not begin again');
    await daemon.started(second);
    await tells(second, 9);
    expect((await view(s)).usage.costMicros).toBe(9_000_000);
    await daemon.report(endedReport(task, { outcome: 'crashed', usage: used(5) }));
    await runJobs(t);
    expect((await view(s)).usage.costMicros).toBe(9_000_000);
    await daemon.ended(second, { usage: used(10) });
    await runJobs(t);
    expect(await asked(s)).toHaveLength(1);
    expect(await taskRow(t, task.taskId)).toMatchObject({ status: 'done' });
  });

  it('holds the next epoch of a supervisor that is lost meanwhile', async () => {
    const s = await scene();
    const task = await works(s);
    await tells(task, 10);
    await daemon.ended(supervisorOf(s), { outcome: 'crashed', commitSha: null });
    await end(task);
    expect(await starts()).toEqual([]);
    await answer(s, 'Go on once');
    expect((await starts()).map(({ taskId }) => taskId).toSorted()).toEqual(
      [task.taskId, s.supervisorTaskId].toSorted(),
    );
  });
});

describe('a budget that a person changes', () => {
  const patch = (s: Stage, budget: ContractInput['budget']) =>
    patchContract(t.engine, by(t.owner), { id: s.contract.id, budget });

  it('below what is spent, stops at once; above, goes on without an answer', async () => {
    const s = await scene(null);
    const task = await works(s);
    await tells(task, 5);
    expect((await patch(s, usd(4))).result).toMatchObject({
      status: 'waiting_for_input',
      budget: { costMicros: 4_000_000, heldAt: expect.any(String) as string },
    });
    await end(task, supervisorOf(s));
    expect(await starts()).toEqual([]);
    expect((await patch(s, usd(20))).result).toMatchObject({
      status: 'active',
      budget: { heldAt: null, warnedAt: null },
    });
    expect(await asked(s)).toEqual([]);
    expect(await starts()).toHaveLength(2);
  });

  it('to none, holds nobody any more', async () => {
    const s = await scene(usd(1));
    const task = await works(s);
    await tells(task, 1);
    await end(task, supervisorOf(s));
    expect((await patch(s, null)).result).toMatchObject({ status: 'active', budget: null });
    expect(await starts()).toHaveLength(2);
  });

  it('of a contract that is paused, holds when that goes on', async () => {
    const s = await scene();
    const task = await works(s);
    const to = (targetStatus: 'paused' | 'active') =>
      changeStatus(t.engine, by(t.owner), { id: s.contract.id, targetStatus });
    await to('paused');
    await daemon.ended(task, { outcome: 'stopped', commitSha: null, usage: used(12) });
    await end(supervisorOf(s));
    expect((await view(s)).status).toBe('paused');
    expect(await asked(s)).toHaveLength(1);
    await to('active');
    expect(await starts()).toEqual([]);
    expect((await view(s)).status).toBe('waiting_for_input');
    await answer(s, 'Raise by $10.00');
    expect(await starts()).toHaveLength(2);
  });

  it('is no business of an agent or a reader', async () => {
    const s = await scene(usd(1));
    const task = await works(s);
    await tells(task, 1);
    const [question] = await asked(s);
    const id = question?.id ?? '';
    const reader = await personOf(t, { role: 'viewer' });
    for (const caller of [s.supervisor, await daemon.agent(task), daemon.principal]) {
      const input = { id: s.contract.id, budget: usd(99) };
      expect(await refusal(patchContract(t.engine, by(caller), input))).toMatchObject({
        code: 'FORBIDDEN',
      });
      expect(
        await refusal(answerQuestion(t.engine, by(caller), { id, response: 'Go on once' })),
      ).toMatchObject({ code: 'FORBIDDEN' });
    }
    expect(reader.role).toBe('viewer');
  });
});

describe('a budget of one task', () => {
  it('tells its supervisor at 80 %, stops that task alone at 100 %, and asks', async () => {
    const s = await scene(null);
    const task = await works(s, { budget: usd(2) });
    const beside = await works(s, { name: 'beside' });
    await tells(task, 1.7);
    await tells(task, 2);
    const read = (await daemon.pullOnly('task.message')).map(({ message }) => message.text);
    expect(read).toEqual([
      expect.stringContaining('has used most of its budget: $1.70 of $2.00 (85 %)'),
      expect.stringContaining('is stopped: its budget is used up: $2.00 of $2.00'),
    ]);
    await end(task);
    expect(await starts()).toEqual([]);
    expect(await taskRow(t, task.taskId)).toMatchObject({ status: 'paused' });
    expect(await taskRow(t, beside.taskId)).toMatchObject({ status: 'running' });
    expect((await view(s)).status).toBe('active');
    const [question] = await asked(s);
    expect(question).toMatchObject({
      askedBy: 'works',
      nonBlocking: true,
      choices: ['Raise by $2.00', 'Go on once', 'Stop it'],
    });
    const why = await whyTask(t.engine, t.owner, { id: task.taskId });
    expect(why.blockers).toEqual([
      expect.objectContaining({
        kind: 'budget',
        reason: 'Its budget is used up: $2.00 of $2.00 (100 %).',
        act: `makima answer ${question?.id} "Raise by $2.00"`,
      }),
    ]);
    await answer(s, 'Raise by $2.00');
    expect((await starts()).map(({ taskId, attempt }) => [taskId, attempt])).toEqual([
      [task.taskId, 2],
    ]);
    const { budget, retryCount } = await getTask(t.engine, t.owner, { id: task.taskId });
    expect({ budget, retryCount }).toMatchObject({
      budget: { costMicros: 4_000_000, heldAt: null },
      retryCount: 0,
    });
  });

  it('that is stopped by the answer, is cancelled', async () => {
    const s = await scene(null);
    const task = await works(s, { budget: { tokens: 10, costMicros: null } });
    await tells(task, 0, 10);
    await answer(s, 'stop it');
    expect(await taskRow(t, task.taskId)).toMatchObject({ status: 'cancelled' });
  });

  it('that ended over its budget asks nobody', async () => {
    const s = await scene(null);
    const task = await works(s, { budget: usd(2) });
    await daemon.ended(task, { usage: used(3) });
    await runJobs(t);
    expect(await asked(s)).toEqual([]);
    expect(await taskRow(t, task.taskId)).toMatchObject({ status: 'done' });
  });

  it('stays held when its contract is raised, and when its contract holds it waits for both', async () => {
    const s = await scene(usd(3));
    const task = await works(s, { budget: usd(2) });
    const beside = await works(s, { name: 'beside' });
    await tells(task, 2);
    await tells(beside, 1);
    await end(task, beside, supervisorOf(s));
    const questions = await asked(s);
    const whole = questions.find(({ nonBlocking }) => !nonBlocking);
    const own = questions.find(({ nonBlocking }) => nonBlocking);
    const raise = { response: 'raise by $9' };
    await answerQuestion(t.engine, by(t.owner), { id: own?.id ?? '', ...raise });
    expect(await starts()).toEqual([]);
    await answerQuestion(t.engine, by(t.owner), { id: whole?.id ?? '', ...raise });
    expect(await starts()).toHaveLength(3);
  });
});
