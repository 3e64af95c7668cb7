/** A supervisor that waits has no process; whatever it waits for wakes it once, whenever it comes. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { zAskInput } from '@makima/contracts/entity/question';
import type { CommandOf } from '@makima/contracts/socket/commands';
import { changeStatus } from '../contract/change-status.ts';
import { getContract } from '../contract/get.ts';
import { patchContract } from '../contract/patch.ts';
import { whyContract } from '../contract/why.ts';
import { expireLeases } from '../daemon/expire-leases.ts';
import { messageTask } from '../task/message.ts';
import { retryTask } from '../task/retry.ts';
import { cancelTask } from '../task/cancel.ts';
import { whyTask } from '../task/why.ts';
import { requeueDue } from '../outbox/requeue.ts';
import { answerQuestion } from '../question/answer.ts';
import { askQuestion } from '../question/ask.ts';
import { readAnswer } from '../question/get.ts';
import { deliverLateAnswers } from '../question/redeliver-answers.ts';
import { beginWait, readWait } from '../wait/begin.ts';
import { findOrphaned } from './find-orphaned.ts';
import { parkWaiting } from './park.ts';
import { by, eventsOf, openTestEngine, runJobs, type TestEngine } from '../test-engine.ts';
import { cleanUp } from '../test-clean-up.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { endedReport, TestDaemon } from '../test-daemon.ts';
import { running, stage, taskRow, type Stage } from '../test-stage.ts';

let t: TestEngine;
let daemon: TestDaemon;
let scene: Stage;
let task: CommandOf<'task.start'>;
beforeAll(async () => {
  t = await openTestEngine({ connections: 24 });
  daemon = await TestDaemon.join(t, { slots: 300 });
});
beforeEach(async () => {
  scene = await stage(t, { daemon });
  task = await running(scene, { name: 'builds' });
  await scene.daemon.pull();
});
afterEach(async () => {
  expect(await brokenInvariants(t)).toEqual({});
});
afterAll(() => t.close());

const supervisor = () => ({ taskId: scene.supervisorTaskId, attempt: 1 });
const waitForTask = async (): Promise<string> => {
  const input = { taskIds: [task.taskId], mode: 'all' as const };
  return (await beginWait(t.engine, by(scene.supervisor), input)).result.waitId;
};
const ask = async (question = 'Which?'): Promise<string> => {
  const input = zAskInput.parse({ question, timeoutSeconds: 300 });
  return (await askQuestion(t.engine, by(scene.supervisor), input)).result.questionId;
};
const answer = (id: string) =>
  answerQuestion(t.engine, by(t.owner), { id, response: 'the left one' });
const turnEnded = () =>
  scene.daemon.report({
    kind: 'task.turn_ended',
    ...supervisor(),
    outcome: 'completed',
    text: '',
    error: null,
    resumeAt: null,
    usage: null,
  });

/** As if it had waited so long already. */
async function hasWaited(seconds: number): Promise<void> {
  await t.database.sql`
    update supervisors set updated_at = clock() - make_interval(secs => ${seconds}) where task_id = ${scene.supervisorTaskId}`;
}
const sweep = () => parkWaiting(t.engine, { limit: 10 });
/** It is asked to park, and has. */
async function park(): Promise<void> {
  await hasWaited(121);
  expect(await sweep()).toBe(1);
  await scene.daemon.ended(supervisor(), { outcome: 'parked' });
}
/** The next start of the supervisor, with what it reads first. */
async function woken(): Promise<{ start: CommandOf<'task.start'>; digest: string }> {
  await runJobs(t);
  const starts = await scene.daemon.pullOnly('task.start');
  const start = starts.find(({ taskId }) => taskId === scene.supervisorTaskId);
  if (start === undefined) throw new Error('it was not started');
  const digests = start.messages.filter(({ text }) => text.includes('=== WAKE ==='));
  expect(digests).toEqual([start.messages[0]]);
  return { start, digest: digests[0]?.text ?? '' };
}
/** Its agent runs and has read everything. */
async function reads(start: CommandOf<'task.start'>): Promise<void> {
  const { taskId, attempt } = start;
  await scene.daemon.started(start);
  for (const { id } of start.messages)
    await scene.daemon.report({
      kind: 'message.received',
      taskId,
      attempt,
      messageId: id,
      state: 'delivered',
    });
}
async function sleeps(): Promise<void> {
  await runJobs(t);
  await requeueDue(t.engine, { olderThanMs: 0 });
  await runJobs(t);
  expect(await taskRow(t, scene.supervisorTaskId)).toMatchObject({
    status: 'paused',
    session: 'parked',
    currentAttempt: 1,
  });
}

describe('a supervisor is parked', () => {
  it('after its time, once, by a wish to its daemon that changes nothing yet', async () => {
    await waitForTask();
    await hasWaited(119);
    expect(await sweep()).toBe(0);
    await hasWaited(121);
    expect(await Promise.all([sweep(), sweep()])).toEqual(expect.arrayContaining([1]));
    expect(await sweep()).toBe(0);
    const stops = await scene.daemon.pullOnly('task.stop');
    expect(stops).toEqual([expect.objectContaining({ ...supervisor(), reason: 'parked' })]);
    expect(await taskRow(t, scene.supervisorTaskId)).toMatchObject({
      status: 'running',
      session: 'live',
    });
  });

  it('is asked again when its daemon found it at work', async () => {
    await waitForTask();
    await hasWaited(121);
    await sweep();
    await t.database.sql`
      update task_attempts set park_asked_at = clock() - interval '61 seconds' where task_id = ${scene.supervisorTaskId}`;
    expect(await sweep()).toBe(1);
  });

  it('when its turn is over and its tasks go on', async () => {
    await turnEnded();
    await park();
    await sleeps();
  });

  it('not while it works, has mail to read, or waits for nothing', async () => {
    await hasWaited(3_600);
    expect(await sweep()).toBe(0);
    await waitForTask();
    await messageTask(t.engine, by(t.owner), {
      id: scene.supervisorTaskId,
      message: 'hello',
      mode: 'queue',
    });
    await hasWaited(3_600);
    expect(await sweep()).toBe(0);
  });

  it('by the time of its contract, and never where that is 0', async () => {
    const { id } = scene.contract;
    await waitForTask();
    await patchContract(t.engine, by(t.owner), { id, parkAfterSeconds: 10 });
    await hasWaited(11);
    await patchContract(t.engine, by(t.owner), { id, parkAfterSeconds: 0 });
    expect((await getContract(t.engine, t.owner, { id })).parkAfterSeconds).toBe(0);
    await hasWaited(1_000_000);
    expect(await sweep()).toBe(0);
    await patchContract(t.engine, by(t.owner), { id, parkAfterSeconds: 10 });
    await hasWaited(11);
    expect(await sweep()).toBe(1);
  });

  it('and costs nothing: no lease, no key, no place, nothing that is missed', async () => {
    await waitForTask();
    await park();
    await expireLeases(t.engine, { limit: 100 });
    expect(await findOrphaned(t.engine, { limit: 10, olderThanMs: 0 })).toEqual([]);
    await sleeps();
    const keys = await t.database.sql`
      select 1 from keys where task_id = ${scene.supervisorTaskId} and revoked_at is null`;
    expect(keys).toEqual([]);
    const parked = (await eventsOf(t, scene.contract.id)).filter(
      ({ type }) => type === 'supervisor.parked',
    );
    expect(parked.map(({ data }) => data)).toEqual([{ epoch: 1, state: 'waiting_for_tasks' }]);
    const why = await whyTask(t.engine, t.owner, { id: scene.supervisorTaskId });
    expect(why.summary).toBe(
      'Waits for task builds (running). It is parked: no process, no tokens.',
    );
    expect(await whyContract(t.engine, t.owner, { id: scene.contract.id })).toMatchObject({
      moving: true,
    });
    expect((await getContract(t.engine, t.owner, { id: scene.contract.id })).attention).toBe(
      'running',
    );
  });
});

describe('what wakes it', () => {
  it('the end of what it waits for, in its own conversation, told once', async () => {
    const waitId = await waitForTask();
    await park();
    await sleeps();
    await scene.daemon.ended(task, { summary: 'Built.' });
    const { start, digest } = await woken();
    expect(start).toMatchObject({ attempt: 2, resumeSession: true });
    expect(digest).toContain('What you waited for has come.');
    expect(digest).toContain('builds');
    expect(digest).toContain('Built.');
    await reads(start);
    // The call that was broken off, made again by the agent, is answered all the same.
    const agent = await scene.daemon.agent(start);
    expect(await readWait(t.engine, agent, { waitId })).toMatchObject({ satisfied: true });
    await scene.daemon.report({
      kind: 'task.turn_ended',
      taskId: start.taskId,
      attempt: 2,
      outcome: 'completed',
      text: '',
      error: null,
      resumeAt: null,
      usage: null,
    });
    const told = await t.database.sql`
      select source from agent_messages where task_id = ${scene.supervisorTaskId} and source in ('task', 'wake')`;
    expect(told.map(({ source }) => source)).toEqual(['wake']);
  });

  it('an answer', async () => {
    const id = await ask();
    await park();
    await sleeps();
    await answer(id);
    const { start, digest } = await woken();
    expect(start.messages.map(({ text }) => text)).toContainEqual(
      expect.stringContaining('Answer: the left one'),
    );
    expect(digest).toContain('A question of yours was answered.');
    expect(digest).not.toContain('the left one');
  });

  it('a task that ends while its turn is over', async () => {
    await turnEnded();
    await park();
    await scene.daemon.ended(task);
    const { start } = await woken();
    const news = start.messages.filter(({ text }) => text.startsWith('[Task done] builds'));
    expect(news).toHaveLength(1);
  });

  it('a word of a person, who may also just ask it to go on', async () => {
    await waitForTask();
    await park();
    const message = { id: scene.supervisorTaskId, message: 'hurry', mode: 'queue' as const };
    await messageTask(t.engine, by(t.owner), message);
    const { start, digest } = await woken();
    expect(start.messages.map(({ text }) => text)).toContain('hurry');
    expect(digest).toContain('You were sent a message.');
    await reads(start);
    await scene.daemon.ended(start, { outcome: 'parked' });
    const asked = await retryTask(t.engine, by(t.owner), { id: scene.supervisorTaskId });
    expect(asked.result).toMatchObject({ status: 'pending', session: 'none' });
    await runJobs(t);
    const [again] = await scene.daemon.pullOnly('task.start');
    expect(again?.messages.at(-1)?.text).toContain('A person asked you to go on.');
  });

  it('that nothing is left to wait for', async () => {
    await waitForTask();
    await park();
    await t.database
      .sql`update waits set state = 'cancelled' where task_id = ${scene.supervisorTaskId}`;
    await requeueDue(t.engine, { olderThanMs: 0 });
    expect((await woken()).digest).toContain('Nothing that you waited for will come any more');
  });

  it('a cancelled task that it waited for', async () => {
    await waitForTask();
    await park();
    await cancelTask(t.engine, by(t.owner), { id: task.taskId });
    expect((await woken()).digest).toContain('cancelled');
  });

  it('once, however often it is asked', async () => {
    await waitForTask();
    await park();
    await scene.daemon.ended(task);
    await messageTask(t.engine, by(t.owner), {
      id: scene.supervisorTaskId,
      message: 'and this',
      mode: 'queue',
    });
    await requeueDue(t.engine, { olderThanMs: 0 });
    await woken();
    const events = await eventsOf(t, scene.contract.id);
    expect(events.filter(({ type }) => type === 'supervisor.woken')).toHaveLength(1);
  });
});

describe('what comes while it is being parked', () => {
  const asked = async (): Promise<void> => {
    await hasWaited(121);
    expect(await sweep()).toBe(1);
  };
  const parked = () => scene.daemon.ended(supervisor(), { outcome: 'parked' });

  it('the end of its wait, taken by a request for an agent that was gone', async () => {
    const waitId = await waitForTask();
    await ask('Something else?');
    await asked();
    await scene.daemon.ended(task, { summary: 'Built.' });
    expect(await readWait(t.engine, scene.supervisor, { waitId })).toMatchObject({
      satisfied: true,
    });
    await parked();
    expect((await woken()).digest).toContain('Built.');
  });

  it('an answer, taken by a request for an agent that was gone', async () => {
    const questionId = await ask();
    await waitForTask();
    await asked();
    await answer(questionId);
    await readAnswer(t.engine, scene.supervisor, { questionId, take: true });
    await parked();
    const { digest } = await woken();
    expect(digest).toContain('A question of yours was answered.');
    expect(digest).toContain('the left one');
  });

  it('an answer that nobody took', async () => {
    const questionId = await ask();
    await waitForTask();
    await asked();
    await readAnswer(t.engine, scene.supervisor, { questionId, holdMs: 60_000 });
    await answer(questionId);
    await parked();
    const { start, digest } = await woken();
    expect(digest).toContain('the left one');
    await deliverLateAnswers(t.engine, { limit: 10 });
    expect(start.messages).toHaveLength(1);
  });

  it('a message', async () => {
    await waitForTask();
    await asked();
    await messageTask(t.engine, by(t.owner), {
      id: scene.supervisorTaskId,
      message: 'one more thing',
      mode: 'queue',
    });
    await parked();
    const { start } = await woken();
    expect(start.messages.map(({ text }) => text)).toContain('one more thing');
  });

  it('at the very same moment, in any order', async () => {
    for (let round = 0; round < 8; round += 1) {
      scene = await stage(t, { daemon });
      task = await running(scene, { name: `race ${round}` });
      await scene.daemon.pull();
      await waitForTask();
      const questionId = await ask();
      await asked();
      const message = { id: scene.supervisorTaskId, message: 'now', mode: 'queue' as const };
      // By its own connection, so that both are applied at the same time.
      await Promise.all([
        parked(),
        round % 2 === 0 ? answer(questionId) : messageTask(t.engine, by(t.owner), message),
      ]);
      const { start } = await woken();
      const read = start.messages.map(({ text }) => text).join('\n');
      expect(read).toContain(round % 2 === 0 ? 'the left one' : 'now');
      await changeStatus(t.engine, by(t.owner), { id: scene.contract.id, targetStatus: 'failed' });
      await runJobs(t);
    }
  });

  it('its own end, told twice, parks it once', async () => {
    await waitForTask();
    await asked();
    const report = endedReport(supervisor(), { outcome: 'parked' });
    await scene.daemon.report(report);
    await scene.daemon.report(report);
    await sleeps();
    const events = await eventsOf(t, scene.contract.id);
    expect(events.filter(({ type }) => type === 'supervisor.parked')).toHaveLength(1);
  });

  it('the death of its daemon: then it is restored', async () => {
    await waitForTask();
    await asked();
    const rest = await t.database.sql<{ taskId: string; attempt: number }[]>`
      select task_id, attempt from task_attempts where state in ('assigned', 'running') and task_id <> ${scene.supervisorTaskId}`;
    await scene.daemon.connect(rest);
    await runJobs(t);
    const starts = await scene.daemon.pullOnly('task.start');
    const start = starts.find(({ taskId }) => taskId === scene.supervisorTaskId);
    expect(start?.messages[0]?.text).toContain('SUPERVISOR RESTORATION NOTICE');
  });
});

describe('a contract whose supervisor is parked', () => {
  const set = (targetStatus: 'active' | 'failed' | 'paused') =>
    changeStatus(t.engine, by(t.owner), { id: scene.contract.id, targetStatus });

  it('is paused: nobody is woken; and goes on: who was due is', async () => {
    await waitForTask();
    await park();
    await set('paused');
    await scene.daemon.ended(task, { outcome: 'stopped' });
    await cancelTask(t.engine, by(t.owner), { id: task.taskId });
    await sleeps();
    await set('active');
    expect((await woken()).digest).toContain('builds');
  });

  it('is paused and goes on with nothing new: it sleeps on', async () => {
    await waitForTask();
    await park();
    await set('paused');
    await scene.daemon.ended(task, { outcome: 'stopped' });
    await set('active');
    await sleeps();
  });

  it('is cancelled: it ends without ever being started', async () => {
    await waitForTask();
    await park();
    await set('failed');
    await cleanUp(t, scene.daemon);
    expect(await taskRow(t, scene.supervisorTaskId)).toMatchObject({
      status: 'cancelled',
      session: 'none',
      currentAttempt: 1,
    });
  });

  it('is moved by its evaluation when its question is withdrawn', async () => {
    const questionId = await ask();
    await park();
    await sleeps();
    await t.database.sql`update questions set status = 'cancelled' where id = ${questionId}`;
    await t.database
      .sql`update contracts set status = 'active', waiting_for = null where id = ${scene.contract.id}`;
    await requeueDue(t.engine, { olderThanMs: 0 });
    expect((await woken()).digest).toContain('Nothing that you waited for');
  });
});
