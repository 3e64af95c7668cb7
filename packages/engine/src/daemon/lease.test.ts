/** Leases and connections: renewed or given up, never both; what a newer connection fences; no deadlock. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeStatus } from '../contract/change-status.ts';
import { disconnectDaemon, disconnectSilent } from './disconnect.ts';
import { expireLeases } from './expire-leases.ts';
import { issueToolKey } from '../identity/issue-tool-key.ts';
import { listDaemons, revokeDaemon } from '../identity/daemons.ts';
import { renewLeases, type Beat } from './beat.ts';
import { endedReport, outputReport, TestDaemon } from '../test-daemon.ts';
import { by, openTestEngine, refusal, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { running, spawned, stage, taskRow, type Stage } from '../test-stage.ts';

let t: TestEngine;
let scene: Stage;
beforeAll(async () => {
  t = await openTestEngine({ connections: 24, settings: { maxRetries: 100 } });
  scene = await stage(t, { slots: 200 });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

type Fence = { taskId: string; attempt: number };
const fence = ({ taskId, attempt }: Fence): Fence => ({ taskId, attempt });
const beat = (runs: readonly Fence[], sessionEpoch = scene.daemon.sessionEpoch): Promise<Beat> =>
  renewLeases(t.engine, scene.daemon.principal, {
    sessionEpoch,
    running: runs,
    freeDiskBytes: 1_000,
  });
const stateOf = async ({ taskId, attempt }: Fence): Promise<string> => {
  const [row] = await t.database
    .sql`select state from task_attempts where task_id = ${taskId} and attempt = ${attempt}`;
  return row?.['state'] as string;
};
const overdue = (runs: readonly Fence[]) =>
  t.database.sql`update task_attempts set lease_expires_at = clock() - interval '1 ms'
                  where task_id = any(${runs.map((r) => r.taskId)}) and state in ('assigned', 'running')`;

describe('a lease', () => {
  it('is either renewed or given up, and the daemon hears which', async () => {
    const runs: Fence[] = [];
    for (let i = 0; i < 12; i += 1) runs.push(fence(await running(scene, { name: `lease ${i}` })));
    await overdue(runs);
    const [beats] = await Promise.all([
      Promise.all(runs.map((run) => beat([run]))),
      expireLeases(t.engine, { limit: 100 }),
      expireLeases(t.engine, { limit: 100 }),
    ]);
    for (const [i, run] of runs.entries()) {
      const renewed = beats[i]?.renewed.length === 1;
      expect(beats[i]?.fenced).toHaveLength(renewed ? 0 : 1);
      expect(await stateOf(run)).toBe(renewed ? 'running' : 'lost');
      expect((await taskRow(t, run.taskId)).status).toBe(renewed ? 'running' : 'interrupted');
    }
    expect(await expireLeases(t.engine, { limit: 100 })).toBe(0);
  });

  it('that is over frees the place and starts the next attempt; the old agent is told to stop', async () => {
    const run = fence(await running(scene, { name: 'silent' }));
    await overdue([run]);
    expect(await expireLeases(t.engine, { limit: 100 })).toBe(1);
    expect(await expireLeases(t.engine, { limit: 100 })).toBe(0);
    await runJobs(t);
    const [start] = (await scene.daemon.pullOnly('task.start')).filter(
      (s) => s.taskId === run.taskId,
    );
    expect(start).toMatchObject({ attempt: 2, resumeSession: true });
    const answer = await beat([run, { taskId: run.taskId, attempt: 2 }]);
    expect(answer).toMatchObject({ fenced: [run], renewed: [{ taskId: run.taskId, attempt: 2 }] });
    const key = issueToolKey(t.engine, scene.daemon.principal, run);
    expect((await refusal(key)).code).toBe('FENCED');
  });

  it('of a supervisor brings it back under the next epoch, exactly once', async () => {
    const play = await stage(t, { daemon: scene.daemon });
    const run = { taskId: play.supervisorTaskId, attempt: 1 };
    await overdue([run]);
    await Promise.all([
      expireLeases(t.engine, { limit: 10 }),
      expireLeases(t.engine, { limit: 10 }),
    ]);
    await runJobs(t);
    const starts = (await scene.daemon.pullOnly('task.start')).filter(
      (s) => s.taskId === run.taskId,
    );
    expect(starts).toMatchObject([{ attempt: 2, resumeSession: true, isSupervisor: true }]);
    expect(starts[0]?.messages.map((m) => m.text).join()).toContain(
      'SUPERVISOR RESTORATION NOTICE',
    );
    const [row] = await t.database
      .sql`select epoch, restoration_count from supervisors where task_id = ${run.taskId}`;
    expect(row).toEqual({ epoch: 2, restorationCount: 1 });
    // The agent of the first epoch may not lead any more.
    expect((await refusal(spawned(play, { name: 'too late' }))).code).toBe('FENCED');
  });
});

describe('a hello', () => {
  it('keeps what runs, waits for what is on its way, gives up what is unknown', async () => {
    const kept = fence(await running(scene, { name: 'kept' }));
    const lost = fence(await running(scene, { name: 'lost' }));
    const coming = await spawned(scene, { name: 'coming' });
    await runJobs(t);
    const old = { taskId: kept.taskId, attempt: 7 };
    const forgotten = [lost.taskId, coming.id];
    const known = (await liveRuns()).filter((run) => !forgotten.includes(run.taskId));
    const welcome = await scene.daemon.connect([...known, old]);
    expect(welcome).toMatchObject({ fenced: [old], reportAck: scene.daemon.seq });
    expect(welcome.keep).toHaveLength(known.length);
    expect(welcome.keep).toContainEqual(kept);
    expect(await stateOf(kept)).toBe('running');
    expect(await stateOf(lost)).toBe('lost');
    expect((await taskRow(t, coming.id)).status).toBe('starting');
  });

  it('fences the connection before it: beats, reports and its farewell', async () => {
    const run = fence(await running(scene, { name: 'moved' }));
    const before = scene.daemon.sessionEpoch;
    await scene.daemon.connect([run, ...(await liveRuns())]);
    expect((await refusal(beat([run], before))).code).toBe('FENCED');
    const sessionEpoch = before;
    const late = Object.assign(Object.create(scene.daemon) as TestDaemon, { sessionEpoch });
    expect((await refusal(late.send(scene.daemon.seq + 1, [outputReport(run, 1, 'x')]))).code).toBe(
      'FENCED',
    );
    await disconnectDaemon(t.engine, scene.daemon.principal, {
      sessionEpoch: before,
      reason: 'gone',
    });
    const status = async () =>
      (await listDaemons(t.engine, t.owner)).items.find((d) => d.id === scene.daemon.id)?.status;
    expect(await status()).toBe('connected');
    await disconnectDaemon(t.engine, scene.daemon.principal, {
      sessionEpoch: scene.daemon.sessionEpoch,
      reason: 'gone',
    });
    expect(await status()).toBe('disconnected');
    await scene.daemon.connect(await liveRuns());
  });

  it('is refused to a daemon that was revoked; a silent one is seen to be gone', async () => {
    const gone = await TestDaemon.join(t);
    await revokeDaemon(t.engine, by(t.owner), { id: gone.id });
    expect((await refusal(gone.connect())).code).toBe('UNAUTHENTICATED');
    const silent = await TestDaemon.join(t);
    await t.database
      .sql`update daemons set last_seen_at = clock() - interval '5 minutes' where id = ${silent.id}`;
    expect(await disconnectSilent(t.engine, { silentMs: 60_000 })).toBe(1);
    expect(await disconnectSilent(t.engine, { silentMs: 60_000 })).toBe(0);
  });
});

describe('everything at once', () => {
  it('never waits for itself', async () => {
    const deadlocks = async (): Promise<number> => {
      const [row] = await t.database
        .sql`select deadlocks from pg_stat_database where datname = current_database()`;
      return Number(row?.['deadlocks']);
    };
    const before = await deadlocks();
    for (let round = 0; round < 3; round += 1) {
      const play = await stage(t, { daemon: scene.daemon });
      const runs: Fence[] = [];
      for (let i = 0; i < 8; i += 1) runs.push(fence(await running(play, { name: `t${i}` })));
      const id = play.contract.id;
      const { daemon } = scene;
      const mixed = [...runs.toReversed(), ...runs];
      const reports = mixed.map((run, i) =>
        outputReport(run, 1 + Math.floor(i / runs.length), 'x'),
      );
      const ends = runs
        .slice(0, 4)
        .toReversed()
        .map((run) => endedReport(run));
      const from = daemon.seq + 1;
      daemon.seq += reports.length + ends.length;
      await Promise.allSettled([
        daemon.send(from, reports).then(() => daemon.send(from + reports.length, ends)),
        beat(runs),
        changeStatus(t.engine, by(t.owner), { id, targetStatus: 'paused' }),
        beat(runs.toReversed()),
        runJobs(t),
        beat(runs),
        expireLeases(t.engine, { limit: 10 }),
      ]);
      for (const stop of await daemon.pullOnly('task.stop'))
        await daemon.ended(stop, { outcome: 'stopped' }).catch(() => undefined);
      await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'active' });
      await runJobs(t);
    }
    // A backend tells what it saw at the latest when it ends.
    await t.database.sql`
      select pg_terminate_backend(pid, 2000) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid()`;
    await t.database.sql`select pg_stat_force_next_flush()`;
    expect(await deadlocks()).toBe(before);
  });
});

async function liveRuns(): Promise<Fence[]> {
  return t.database.sql<Fence[]>`
    select task_id, attempt from task_attempts where daemon_id = ${scene.daemon.id} and state in ('assigned', 'running')`;
}
