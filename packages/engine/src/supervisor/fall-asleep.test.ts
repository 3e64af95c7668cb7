/** What comes for a supervisor while it is being parked is never lost, whatever order it comes in. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CommandOf } from '@makima/contracts/socket/commands';
import { changeStatus } from '../contract/change-status.ts';
import { messageTask } from '../task/message.ts';
import { readAnswer } from '../question/get.ts';
import { deliverLateAnswers } from '../question/redeliver-answers.ts';
import { readWait } from '../wait/begin.ts';
import { by, eventsOf, openTestEngine, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { endedReport, TestDaemon } from '../test-daemon.ts';
import { running, stage, type Stage } from '../test-stage.ts';

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

describe('what comes while it is being parked', () => {
  const asked = async (): Promise<void> => {
    await p.hasWaited(121);
    expect(await p.sweep()).toBe(1);
  };
  const parked = () => scene.daemon.ended(p.supervisor(), { outcome: 'parked' });

  it('the end of its wait, taken by a request for an agent that was gone', async () => {
    const waitId = await p.waitForTask();
    await p.ask('Something else?');
    await asked();
    await scene.daemon.ended(task, { summary: 'Built.' });
    expect(await readWait(t.engine, scene.supervisor, { waitId })).toMatchObject({
      satisfied: true,
    });
    await parked();
    expect((await p.woken()).digest).toContain('Built.');
  });

  it('an answer, taken by a request for an agent that was gone', async () => {
    const questionId = await p.ask();
    await p.waitForTask();
    await asked();
    await p.answer(questionId);
    await readAnswer(t.engine, scene.supervisor, { questionId, take: true });
    await parked();
    const { digest } = await p.woken();
    expect(digest).toContain('A question of yours was answered.');
    expect(digest).toContain('the left one');
  });

  it('an answer that nobody took', async () => {
    const questionId = await p.ask();
    await p.waitForTask();
    await asked();
    await readAnswer(t.engine, scene.supervisor, { questionId, holdMs: 60_000 });
    await p.answer(questionId);
    await parked();
    const { start, digest } = await p.woken();
    expect(digest).toContain('the left one');
    await deliverLateAnswers(t.engine, { limit: 10 });
    expect(start.messages).toHaveLength(1);
  });

  it('a message', async () => {
    await p.waitForTask();
    await asked();
    await messageTask(t.engine, by(t.owner), {
      id: scene.supervisorTaskId,
      message: 'one more thing',
      mode: 'queue',
    });
    await parked();
    const { start } = await p.woken();
    expect(start.messages.map(({ text }) => text)).toContain('one more thing');
  });

  it('at the very same moment, in any order', async () => {
    for (let round = 0; round < 8; round += 1) {
      scene = await stage(t, { daemon });
      task = await running(scene, { name: `race ${round}` });
      await scene.daemon.pull();
      p = parkingOf(scene, task);
      await p.waitForTask();
      const questionId = await p.ask();
      await asked();
      const message = { id: scene.supervisorTaskId, message: 'now', mode: 'queue' as const };
      // By its own connection, so that both are applied at the same time.
      await Promise.all([
        parked(),
        round % 2 === 0 ? p.answer(questionId) : messageTask(t.engine, by(t.owner), message),
      ]);
      const { start } = await p.woken();
      const read = start.messages.map(({ text }) => text).join('\n');
      expect(read).toContain(round % 2 === 0 ? 'the left one' : 'now');
      await changeStatus(t.engine, by(t.owner), { id: scene.contract.id, targetStatus: 'failed' });
      await runJobs(t);
    }
  });

  it('its own end, told twice, parks it once', async () => {
    await p.waitForTask();
    await asked();
    const report = endedReport(p.supervisor(), { outcome: 'parked' });
    await scene.daemon.report(report);
    await scene.daemon.report(report);
    await p.sleeps();
    const events = await eventsOf(t, scene.contract.id);
    expect(events.filter(({ type }) => type === 'supervisor.parked')).toHaveLength(1);
  });

  it('the death of its daemon: then it is restored', async () => {
    await p.waitForTask();
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
