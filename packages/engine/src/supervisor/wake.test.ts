/** What wakes a parked supervisor: each reason, once, also around a pause of its contract. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CommandOf } from '@makima/contracts/socket/commands';
import { changeStatus } from '../contract/change-status.ts';
import { messageTask } from '../task/message.ts';
import { retryTask } from '../task/retry.ts';
import { cancelTask } from '../task/cancel.ts';
import { requeueDue } from '../outbox/requeue.ts';
import { readWait } from '../wait/begin.ts';
import { by, eventsOf, openTestEngine, runJobs, type TestEngine } from '../test-engine.ts';
import { cleanUp } from '../test-clean-up.ts';
import { deliverLateAnswers } from '../question/redeliver-answers.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { TestDaemon } from '../test-daemon.ts';
import { running, stage, taskRow, type Stage } from '../test-stage.ts';

import { parkingOf } from '../test-parking.ts';

let t: TestEngine;
let daemon: TestDaemon;
let scene: Stage;
let task: CommandOf<'task.start'>;
let p: ReturnType<typeof parkingOf>;
beforeAll(async () => {
  t = await openTestEngine({ connections: 24 });
  daemon = await TestDaemon.join(t, { slots: 300 });
});
beforeEach(async () => {
  scene = await stage(t, { daemon });
  task = await running(scene, { name: 'builds' });
  await scene.daemon.pull();
  p = parkingOf(scene, task);
});
afterEach(async () => {
  expect(await brokenInvariants(t)).toEqual({});
});
afterAll(() => t.close());

describe('what wakes it', () => {
  it('the end of what it waits for, in its own conversation, told once', async () => {
    const waitId = await p.waitForTask();
    await p.park();
    await p.sleeps();
    await scene.daemon.ended(task, { summary: 'Built.' });
    const { start, digest } = await p.woken();
    expect(start).toMatchObject({ attempt: 2, resumeSession: true });
    expect(digest).toContain('What you waited for has come.');
    expect(digest).toContain('builds');
    expect(digest).toContain('Built.');
    await p.reads(start);
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
      usage: null,
    });
    const told = await t.database.sql`
      select source from agent_messages where task_id = ${scene.supervisorTaskId} and source in ('task', 'wake')`;
    expect(told.map(({ source }) => source)).toEqual(['wake']);
  });

  it('an answer', async () => {
    const id = await p.ask();
    await p.park();
    await p.sleeps();
    await p.answer(id);
    const { start, digest } = await p.woken();
    expect(digest).toContain('A question of yours was answered.');
    expect(digest).toContain('Which? -> the left one');
    // There, and nowhere else.
    expect(start.messages).toHaveLength(1);
    await deliverLateAnswers(t.engine, { limit: 10 });
    expect((await scene.daemon.pullOnly('task.message')).length).toBe(0);
  });

  it('a task that ends while its turn is over', async () => {
    await p.turnEnded();
    await p.park();
    await scene.daemon.ended(task);
    const { start } = await p.woken();
    const news = start.messages.filter(({ text }) => text.startsWith('[Task done] builds'));
    expect(news).toHaveLength(1);
  });

  it('a word of a person, who may also just ask it to go on', async () => {
    await p.waitForTask();
    await p.park();
    const message = { id: scene.supervisorTaskId, message: 'hurry', mode: 'queue' as const };
    await messageTask(t.engine, by(t.owner), message);
    const { start, digest } = await p.woken();
    expect(start.messages.map(({ text }) => text)).toContain('hurry');
    expect(digest).toContain('You were sent a message.');
    await p.reads(start);
    await scene.daemon.ended(start, { outcome: 'parked' });
    const asked = await retryTask(t.engine, by(t.owner), { id: scene.supervisorTaskId });
    expect(asked.result).toMatchObject({ status: 'pending', session: 'none' });
    await runJobs(t);
    const [again] = await scene.daemon.pullOnly('task.start');
    expect(again?.messages.at(-1)?.text).toContain('A person asked you to go on.');
  });

  it('that nothing is left to wait for', async () => {
    await p.waitForTask();
    await p.park();
    await t.database
      .sql`update waits set state = 'cancelled' where task_id = ${scene.supervisorTaskId}`;
    await requeueDue(t.engine, { olderThanMs: 0 });
    expect((await p.woken()).digest).toContain('Nothing that you waited for will come any more');
  });

  it('a cancelled task that it waited for', async () => {
    await p.waitForTask();
    await p.park();
    await cancelTask(t.engine, by(t.owner), { id: task.taskId });
    expect((await p.woken()).digest).toContain('cancelled');
  });

  it('once, however often it is asked', async () => {
    await p.waitForTask();
    await p.park();
    await scene.daemon.ended(task);
    await messageTask(t.engine, by(t.owner), {
      id: scene.supervisorTaskId,
      message: 'and this',
      mode: 'queue',
    });
    await requeueDue(t.engine, { olderThanMs: 0 });
    await p.woken();
    const events = await eventsOf(t, scene.contract.id);
    expect(events.filter(({ type }) => type === 'supervisor.woken')).toHaveLength(1);
  });
});

describe('a contract whose supervisor is parked', () => {
  const set = (targetStatus: 'active' | 'failed' | 'paused') =>
    changeStatus(t.engine, by(t.owner), { id: scene.contract.id, targetStatus });

  it('is paused: nobody is woken; and goes on: who was due is', async () => {
    await p.waitForTask();
    await p.park();
    await set('paused');
    await scene.daemon.ended(task, { outcome: 'stopped' });
    await cancelTask(t.engine, by(t.owner), { id: task.taskId });
    await p.sleeps();
    await set('active');
    expect((await p.woken()).digest).toContain('builds');
  });

  it('is paused and goes on with nothing new: it sleeps on', async () => {
    await p.waitForTask();
    await p.park();
    await set('paused');
    await scene.daemon.ended(task, { outcome: 'stopped' });
    await set('active');
    await p.sleeps();
  });

  it('is cancelled: it ends without ever being started', async () => {
    await p.waitForTask();
    await p.park();
    await set('failed');
    await cleanUp(t, scene.daemon);
    expect(await taskRow(t, scene.supervisorTaskId)).toMatchObject({
      status: 'cancelled',
      session: 'none',
      currentAttempt: 1,
    });
  });

  it('is moved by its evaluation when its question is withdrawn', async () => {
    const questionId = await p.ask();
    await p.park();
    await p.sleeps();
    await t.database.sql`update questions set status = 'cancelled' where id = ${questionId}`;
    await t.database
      .sql`update contracts set status = 'active', waiting_for = null where id = ${scene.contract.id}`;
    await requeueDue(t.engine, { olderThanMs: 0 });
    expect((await p.woken()).digest).toContain('Nothing that you waited for');
  });
});
