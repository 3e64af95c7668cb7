/** Heartbeats: kept at their interval, over every day, read back, and whose silence is told as a death. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { zAskInput } from '@makima/contracts/entity/question';
import { renewLeases } from '../daemon/beat.ts';
import { askQuestion } from '../question/ask.ts';
import { moveClock } from '../test-clock.ts';
import { by, newContract, openTestEngine, refusal, type TestEngine } from '../test-engine.ts';
import { TestDaemon } from '../test-daemon.ts';
import { running, stage, taskRow, type Stage } from '../test-stage.ts';
import { beginWait } from '../wait/begin.ts';
import { keepHeartbeats, supervisorHeartbeats, tendHeartbeats } from './heartbeats.ts';
import { supervisorStatus } from './status.ts';
import { syncSupervisor } from './sync.ts';

let t: TestEngine;
let daemon: TestDaemon;
let scene: Stage;
beforeAll(async () => {
  t = await openTestEngine();
  daemon = await TestDaemon.join(t, { slots: 100 });
});
beforeEach(async () => {
  scene = await stage(t, { daemon });
});
afterAll(() => t.close());

const of = () => ({ taskId: scene.supervisorTaskId, attempt: 1 });
const id = () => scene.contract.id;
const history = async (limit = 100) =>
  (await supervisorHeartbeats(t.engine, t.owner, { id: id(), limit })).heartbeats;
const status = () => supervisorStatus(t.engine, t.owner, { id: id() });

/** As if it had been heard of so long ago. */
const silentFor = (seconds: number) => t.database.sql`
  update supervisors set last_heartbeat_at = clock() - make_interval(secs => ${seconds}) where task_id = ${of().taskId}`;

describe('heartbeats of supervisors', () => {
  it('are kept at their interval with what it does, for supervisors alone', async () => {
    const task = await running(scene, { name: 'builds' });
    await beginWait(t.engine, by(scene.supervisor), { taskIds: [task.taskId], mode: 'all' });
    expect(await keepHeartbeats(t.engine, t, [of(), task])).toBe(1);
    expect(await keepHeartbeats(t.engine, t, [of(), task])).toBe(0);
    await silentFor(26);
    expect(await keepHeartbeats(t.engine, t, [of()])).toBe(0);
    await silentFor(28);
    expect(await keepHeartbeats(t.engine, t, [of()])).toBe(1);
    const beat = {
      state: 'waiting_for_tasks',
      phase: 'plan',
      activity: 'Waiting for 1 task',
      progress: 0,
      pending_task_ids: [task.taskId],
      epoch: 1,
    };
    const kept = await history();
    expect(kept).toEqual([expect.objectContaining(beat), expect.objectContaining(beat)]);
    expect(kept[0]?.timestamp.localeCompare(kept[1]?.timestamp ?? '')).toBe(1);
    expect(await history(1)).toEqual(kept.slice(0, 1));
    expect((await status()).last_heartbeat).toBe(kept[0]?.timestamp);
  });

  it('renew no lease, and wait for nobody', async () => {
    const { sql } = t.database;
    await sql.begin(async (tx) => {
      await tx`select 1 from supervisors where task_id = ${of().taskId} for no key update`;
      expect(await keepHeartbeats(t.engine, t, [of()])).toBe(0);
    });
    const lease = () => sql`
      select lease_expires_at from task_attempts where task_id = ${of().taskId}`;
    const before = await lease();
    expect(await keepHeartbeats(t.engine, t, [of()])).toBe(1);
    expect(await lease()).toEqual(before);
    // And a renewal needs no heartbeat.
    const beat = { sessionEpoch: daemon.sessionEpoch, running: [of()], freeDiskBytes: null };
    expect((await renewLeases(t.engine, daemon.principal, beat)).renewed).toEqual([of()]);
    expect(await history()).toHaveLength(1);
  });

  it('find their day whatever the clock says, and are kept for 24 hours', async () => {
    await keepHeartbeats(t.engine, t, [of()]);
    const days = async () =>
      (
        await t.database.sql<{ name: string }[]>`
          select inhrelid::regclass::text as name from pg_inherits
           where inhparent = 'supervisor_heartbeats'::regclass order by 1`
      ).map(({ name }) => name);
    const before = await days();
    for (const offset of ['40 days', '-40 days']) {
      await moveClock(t, offset);
      expect(await keepHeartbeats(t.engine, t, [of()])).toBe(1);
      expect(await keepHeartbeats(t.engine, t, [of()])).toBe(0);
    }
    expect(await days()).toHaveLength(before.length + 6);
    // Back again: what was heard in the future does not silence it.
    await moveClock(t, '0');
    expect(await keepHeartbeats(t.engine, t, [of()])).toBe(1);
    expect(await tendHeartbeats(t.engine)).toBe(3);
    expect(await history()).toHaveLength(3);
    await moveClock(t, '25 hours');
    expect(await history()).toHaveLength(1);
    await tendHeartbeats(t.engine);
    await moveClock(t, '50 days');
    await tendHeartbeats(t.engine);
    expect(await tendHeartbeats(t.engine)).toBe(0);
    expect(await days()).toHaveLength(3);
    expect(await history()).toEqual([]);
    await moveClock(t, '0');
    await tendHeartbeats(t.engine);
  });

  it('have no history when the flag is off, and nobody is dead then', async () => {
    const features = { ...t.engine.settings.features, supervisorHeartbeat: false };
    const settings = { ...t.engine.settings, features };
    const off = { ...t.engine, settings };
    expect(await keepHeartbeats(off, t, [of()])).toBe(0);
    expect(await history()).toEqual([]);
    expect((await status()).last_heartbeat).not.toBeNull();
    await silentFor(3_600);
    expect(await supervisorStatus(off, t.owner, { id: id() })).toMatchObject({ state: 'working' });
    expect(await keepHeartbeats(t.engine, t, [])).toBe(0);
  });
});

describe('the status of a supervisor', () => {
  it('is whole', async () => {
    const task = await running(scene, { name: 'builds' });
    const ask = zAskInput.parse({ question: 'Which?' });
    const { questionId } = (await askQuestion(t.engine, by(scene.supervisor), ask)).result;
    expect(await status()).toEqual({
      task_id: of().taskId,
      state: 'waiting_for_user',
      phase: 'plan',
      current_activity: 'Waiting for an answer: Which?',
      progress: 0,
      last_heartbeat: null,
      pending_task_ids: [],
      epoch: 1,
      session: 'live',
      restoration_count: 0,
      last_restored_at: null,
      restoration_source: null,
      pending_question_ids: [questionId],
      error_message: null,
      spawned_task_ids: [task.taskId],
      message_count: 1,
      last_checkpoint_id: null,
    });
  });

  it('is SUPERVISOR_DEAD after two minutes of silence, with the facts beside it', async () => {
    await silentFor(119);
    expect(await status()).toMatchObject({ state: 'working' });
    await silentFor(121);
    expect(await refusal(status())).toMatchObject({
      code: 'SUPERVISOR_DEAD',
      message: expect.stringMatching(/^nothing was heard of the supervisor for 12\d s$/),
      details: { task_id: of().taskId, state: 'working', epoch: 1 },
    });
    const sync = syncSupervisor(t.engine, by(t.owner), { id: id() });
    expect(await refusal(sync)).toMatchObject({ code: 'SUPERVISOR_DEAD' });
    await keepHeartbeats(t.engine, t, [of()]);
    expect(await status()).toMatchObject({ state: 'working' });
  });

  it('is not there without a supervisor', async () => {
    const contract = await newContract(t, { start: false });
    const read = { id: contract.id, limit: 10 };
    for (const ask of [
      () => supervisorStatus(t.engine, t.owner, read),
      () => supervisorHeartbeats(t.engine, t.owner, read),
      () => syncSupervisor(t.engine, by(t.owner), read),
    ])
      expect(await refusal(ask())).toMatchObject({ code: 'SUPERVISOR_NOT_FOUND' });
  });
});

describe('a sync', () => {
  const sync = async () => (await syncSupervisor(t.engine, by(t.owner), { id: id() })).result;
  const writes = (state: string) =>
    t.database.sql`update supervisors set state = ${state} where task_id = ${of().taskId}`;

  it('changes nothing that is right, and saves a snapshot', async () => {
    expect(await sync()).toEqual({ synced: true, state: 'working', corrected_from: null });
    const { sql } = t.database;
    expect(
      await sql`select 1 from conversation_snapshots where task_id = ${of().taskId}`,
    ).toHaveLength(1);
    expect((await taskRow(t, of().taskId)).status).toBe('running');
  });

  it.each([
    ['waiting_for_user', 'working'],
    ['waiting_for_tasks', 'working'],
    ['initializing', 'working'],
    ['interrupted', 'working'],
    ['idle', 'idle'],
  ])('makes %s of a running one that waits for nothing %s', async (before, after) => {
    await writes(before);
    expect(await sync()).toEqual({
      synced: true,
      state: after,
      corrected_from: before === after ? null : before,
    });
  });

  it('tells what it waits for by its rows', async () => {
    const task = await running(scene, { name: 'builds' });
    await beginWait(t.engine, by(scene.supervisor), { taskIds: [task.taskId], mode: 'all' });
    await writes('waiting_for_user');
    expect((await sync()).state).toBe('waiting_for_tasks');
    const ask = zAskInput.parse({ question: 'Which?' });
    await askQuestion(t.engine, by(scene.supervisor), ask);
    await t.database.sql`update waits set state = 'satisfied' where task_id = ${of().taskId}`;
    await writes('waiting_for_tasks');
    expect((await sync()).state).toBe('waiting_for_user');
  });
});
