/** Budgets of single tasks: the supervisor is told, that task alone is stopped, a person is asked. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answerQuestion } from '../question/answer.ts';
import { getTask } from '../task/get.ts';
import { whyTask } from '../task/why.ts';
import { budgetActs, usd, used, supervisorOf } from '../test-budget.ts';
import { TestDaemon } from '../test-daemon.ts';
import { by, openTestEngine, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { taskRow } from '../test-stage.ts';

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

const { scene, tells, works, view, asked, answer, end, starts } = budgetActs(() => ({
  t,
  daemon,
  agent,
}));

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
