/**
 * Who is given up, and who is not: a table of faults, with time moved by the database's clock. Nobody who
 * lives is given up; who died is noticed within the lease and five seconds; what lies between has its reason.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CommandOf } from '@makima/contracts/socket/commands';
import { openTestEngine, refusal, runJobs, type TestEngine } from '../test-engine.ts';
import { moveClock } from '../test-clock.ts';
import { TestDaemon } from '../test-daemon.ts';
import { spawned, stage, taskRow, type Stage } from '../test-stage.ts';
import { keepHeartbeats, supervisorHeartbeats } from '../supervisor/heartbeats.ts';
import { whyTask } from '../task/why.ts';
import { renewLeases } from './beat.ts';
import { disconnectDaemon } from './disconnect.ts';
import { expireLeases } from './expire-leases.ts';

let t: TestEngine;
let scene: Stage;
let daemon: TestDaemon;
let start: CommandOf<'task.start'>;
/** Where the clock stands, in seconds from the true one. */
let atSeconds = 0;

beforeAll(async () => {
  t = await openTestEngine({ settings: { maxRetries: 100 } });
});
beforeEach(async () => {
  await clockAt(0);
  scene = await stage(t);
  daemon = scene.daemon;
  const task = await spawned(scene, { name: 'works' });
  await runJobs(t);
  const starts = await daemon.pullOnly('task.start');
  const found = starts.find(({ taskId }) => taskId === task.id);
  if (found === undefined) throw new Error('the task found no place');
  start = found;
});
// What a test leaves behind takes no part in the next.
afterEach(async () => {
  const { sql } = t.database;
  await sql`
    update task_attempts set state = 'cancelled', ended_at = clock() where state in ('assigned', 'running')`;
  await sql`update daemons set status = 'disconnected'`;
});
afterAll(() => t.close());

async function clockAt(seconds: number): Promise<void> {
  atSeconds = seconds;
  await moveClock(t, `${seconds} seconds`);
}

const supervisor = () => ({ taskId: scene.supervisorTaskId, attempt: 1 });
const running = () => [supervisor(), { taskId: start.taskId, attempt: 1 }];

async function beat(): Promise<void> {
  const about = { sessionEpoch: daemon.sessionEpoch, running: running(), freeDiskBytes: null };
  const { renewed } = await renewLeases(t.engine, daemon.principal, about);
  expect(renewed).toHaveLength(2);
  await keepHeartbeats(t.engine, daemon.principal, renewed);
}

/** Time goes by as daemons and the sweep see it; answers after how long the first was given up. */
async function pass(seconds: number, machine: 'beats' | 'silent'): Promise<number | undefined> {
  const from = atSeconds;
  for (let gone = 1; gone <= seconds; gone += 1) {
    const isBeat = machine === 'beats' && gone % 10 === 0;
    const isSweep = gone % (machine === 'beats' ? 15 : 3) === 0;
    if (!isBeat && !isSweep) continue;
    await clockAt(from + gone);
    if (isBeat) await beat();
    if (isSweep && (await expireLeases(t.engine, { limit: 10 })) > 0) return gone;
  }
  await clockAt(from + seconds);
  return undefined;
}

const why = async () => {
  const { moving, blockers } = await whyTask(t.engine, t.owner, { id: start.taskId });
  return { moving, kinds: blockers.map(({ kind }) => kind), reason: blockers[0]?.reason };
};

describe('nobody who lives is given up', () => {
  it('whose start takes a minute', async () => {
    expect(await pass(70, 'beats')).toBeUndefined();
    expect(await taskRow(t, start.taskId)).toMatchObject({ status: 'starting', currentAttempt: 1 });
    expect(await why()).toMatchObject({ moving: true });
    await daemon.started(start);
    expect(await taskRow(t, start.taskId)).toMatchObject({ status: 'running', currentAttempt: 1 });
  });

  it('whose tool says nothing for twenty minutes', async () => {
    await daemon.started(start);
    expect(await pass(20 * 60, 'beats')).toBeUndefined();
    expect(await taskRow(t, start.taskId)).toMatchObject({ status: 'running', currentAttempt: 1 });
    expect(await why()).toMatchObject({ moving: true });
    const read = { id: scene.contract.id, limit: 1_000 };
    const { heartbeats } = await supervisorHeartbeats(t.engine, t.owner, read);
    expect(heartbeats).toHaveLength(40);
  });

  it('whose agent stands still for 90 s while its daemon beats', async () => {
    await daemon.started(start);
    expect(await pass(90, 'beats')).toBeUndefined();
    expect(await why()).toMatchObject({ moving: true });
  });

  it.each([
    ['machine slept for ten minutes', 600],
    ['clock was set forward by an hour', 3_600],
    ['clock was set back by an hour', -3_600],
  ])('whose %s, once its beats come again', async (_, seconds) => {
    await daemon.started(start);
    await pass(30, 'beats');
    // The sweep sees the step and waits; within its grace every daemon has beaten.
    await clockAt(atSeconds + seconds);
    await beat();
    expect(await pass(70, 'beats')).toBeUndefined();
    expect(await taskRow(t, start.taskId)).toMatchObject({ status: 'running', currentAttempt: 1 });
  });

  it('who is still held by the daemon that took the place of another under its id', async () => {
    await daemon.started(start);
    const old = daemon.sessionEpoch;
    const welcome = await daemon.connect(running());
    expect(welcome.keep).toHaveLength(2);
    const late = { sessionEpoch: old, running: running(), freeDiskBytes: null };
    expect(await refusal(renewLeases(t.engine, daemon.principal, late))).toMatchObject({
      code: 'FENCED',
    });
    expect(await pass(90, 'beats')).toBeUndefined();
  });
});

describe('who died is noticed', () => {
  it('within the lease and five seconds when the machine is gone, with a reason all the while', async () => {
    await daemon.started(start);
    await beat();
    expect(await pass(20, 'silent')).toBeUndefined();
    expect(await why()).toMatchObject({ moving: true });
    expect(await pass(20, 'silent')).toBeUndefined();
    expect(await why()).toMatchObject({ moving: false, kinds: ['lease'] });
    expect((await why()).reason).toMatch(/^Nothing was heard of daemon \S+ for 40 s; unless/);
    const after = (await pass(30, 'silent')) ?? Number.NaN;
    expect(40 + after).toBeGreaterThanOrEqual(60);
    expect(40 + after).toBeLessThanOrEqual(65);
    expect(await taskRow(t, start.taskId)).toMatchObject({ status: 'interrupted' });
    await disconnectDaemon(t.engine, daemon.principal, {
      sessionEpoch: daemon.sessionEpoch,
      reason: 'silent',
    });
    await runJobs(t);
    expect(await why()).toMatchObject({ moving: false });
    expect(['machine_offline', 'no_daemon']).toContain((await why()).kinds[0]);
  });

  it('in time also after the clock was set back', async () => {
    await daemon.started(start);
    await beat();
    await clockAt(atSeconds - 3_600);
    expect(await pass(66, 'silent')).toBeLessThanOrEqual(65);
  });

  it('at once by its daemon: an agent that crashed, and what a new life does not know', async () => {
    await daemon.started(start);
    await daemon.ended({ taskId: start.taskId, attempt: 1 }, { outcome: 'crashed', error: 'gone' });
    expect(await taskRow(t, start.taskId)).toMatchObject({ status: 'interrupted' });
    await daemon.connect([]);
    expect(await taskRow(t, scene.supervisorTaskId)).toMatchObject({ status: 'interrupted' });
    expect(await taskRow(t, start.taskId)).toMatchObject({ errorMessage: 'gone' });
  });

  it('or is only cut off: between its socket and its lease the machine is named', async () => {
    await daemon.started(start);
    await disconnectDaemon(t.engine, daemon.principal, {
      sessionEpoch: daemon.sessionEpoch,
      reason: 'closed',
    });
    expect(await why()).toMatchObject({ moving: false, kinds: ['machine_offline'] });
    await daemon.connect(running());
    expect(await why()).toMatchObject({ moving: true });
  });
});
