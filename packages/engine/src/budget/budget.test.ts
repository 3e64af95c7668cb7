/** Budgets of contracts: a warning, a stop with a question, an answer that lets everybody go on; and who may not raise one. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ContractInput } from '@makima/contracts/entity/contract';
import { checkCompletion } from '../contract/check-completion.ts';
import { changeStatus } from '../contract/change-status.ts';
import { patchContract } from '../contract/patch.ts';
import { whyContract } from '../contract/why.ts';
import { expireLeases } from '../daemon/expire-leases.ts';
import { resumeSupervisor } from '../supervisor/resume.ts';
import { answerQuestion } from '../question/answer.ts';
import { inbox } from '../question/inbox.ts';
import { whyTask } from '../task/why.ts';
import { budgetActs, usd, used, supervisorOf } from '../test-budget.ts';
import { endedReport, TestDaemon } from '../test-daemon.ts';
import { by, openTestEngine, refusal, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { contractRow, spawned, taskRow, type Stage } from '../test-stage.ts';

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

const { scene, tells, works, view, told, asked, answer, end, starts } = budgetActs(() => ({
  t,
  daemon,
  agent,
}));

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
    // What is missing for its end is the work; the budget's question is not.
    const { missing } = await checkCompletion(t.engine, t.owner, { id: s.contract.id });
    expect(missing.join()).toContain('Task');
    expect(missing.join()).not.toContain('A question is open');
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
    expect((await view(s)).budget).toMatchObject({
      costMicros: 10_000_000,
      heldAt: null,
      once: { costMicros: 11_200_000, tokens: null },
    });
    await tells({ taskId: task.taskId, attempt: 2 }, 11.1);
    expect(await asked(s)).toEqual([]);
    await tells({ taskId: task.taskId, attempt: 2 }, 11.2);
    expect(await asked(s)).toEqual([
      expect.objectContaining({ question: expect.stringContaining('$11.20 of $10.00') as string }),
    ]);
    expect(await told(s, 'budget.reached')).toHaveLength(2);
  });

  it('brought back by a person, its supervisor waits for the decision, and the answer says so', async () => {
    const s = await scene();
    await tells(supervisorOf(s), 10);
    await end(supervisorOf(s));
    const { result } = await resumeSupervisor(t.engine, by(t.owner), {
      id: s.contract.id,
      resumeMode: 'continue',
    });
    expect(result.restoration?.warnings).toContain(
      'The contract’s budget is used up: it starts when a person has decided (makima inbox).',
    );
    expect(await starts()).toEqual([]);
    await answer(s, 'Go on once');
    expect((await starts()).map(({ attempt }) => attempt)).toEqual([2]);
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

  it('after it was let go on once, holds at what it says now', async () => {
    const s = await scene();
    const task = await works(s);
    await tells(task, 10.2);
    await end(task, supervisorOf(s));
    await answer(s, 'Go on once');
    for (const start of await starts()) await daemon.started(start);
    expect((await patch(s, usd(9))).result).toMatchObject({
      budget: { costMicros: 9_000_000, heldAt: expect.any(String) as string },
    });
    expect(await asked(s)).toHaveLength(1);
    expect(await taskRow(t, task.taskId)).toMatchObject({ status: 'paused' });
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

  it('is no business of an agent or a daemon', async () => {
    const s = await scene(usd(1));
    const task = await works(s);
    await tells(task, 1);
    const [question] = await asked(s);
    const id = question?.id ?? '';
    for (const caller of [s.supervisor, await daemon.agent(task), daemon.principal]) {
      const input = { id: s.contract.id, budget: usd(99) };
      expect(await refusal(patchContract(t.engine, by(caller), input))).toMatchObject({
        code: 'FORBIDDEN',
      });
      expect(
        await refusal(answerQuestion(t.engine, by(caller), { id, response: 'Go on once' })),
      ).toMatchObject({ code: 'FORBIDDEN' });
    }
  });
});
