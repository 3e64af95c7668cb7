/** A supervisor that waits is parked: when, by whom it is asked, and what it costs then: nothing. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CommandOf } from '@makima/contracts/socket/commands';
import { changePhase } from '../contract/change-phase.ts';
import { completeDeliverable } from '../contract/complete-deliverable.ts';
import { getContract } from '../contract/get.ts';
import { patchContract } from '../contract/patch.ts';
import { whyContract } from '../contract/why.ts';
import { expireLeases } from '../daemon/expire-leases.ts';
import { messageTask } from '../task/message.ts';
import { whyTask } from '../task/why.ts';
import { findOrphaned } from './find-orphaned.ts';
import { parkWaiting } from './park.ts';
import {
  by,
  eventsOf,
  newContract,
  openTestEngine,
  runJobs,
  type TestEngine,
} from '../test-engine.ts';
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

describe('a supervisor is parked', () => {
  it('after its time, once, by a wish to its daemon that changes nothing yet', async () => {
    await p.waitForTask();
    await p.hasWaited(119);
    expect(await p.sweep()).toBe(0);
    await p.hasWaited(121);
    expect(await Promise.all([p.sweep(), p.sweep()])).toEqual(expect.arrayContaining([1]));
    expect(await p.sweep()).toBe(0);
    const stops = await scene.daemon.pullOnly('task.stop');
    expect(stops).toEqual([expect.objectContaining({ ...p.supervisor(), reason: 'parked' })]);
    expect(await taskRow(t, scene.supervisorTaskId)).toMatchObject({
      status: 'running',
      session: 'live',
    });
  });

  it('is asked again when its daemon found it at work', async () => {
    await p.waitForTask();
    await p.hasWaited(121);
    await p.sweep();
    await t.database.sql`
      update task_attempts set park_asked_at = clock() - interval '61 seconds' where task_id = ${scene.supervisorTaskId}`;
    expect(await p.sweep()).toBe(1);
  });

  it('when its turn is over and its tasks go on', async () => {
    await p.turnEnded();
    await p.park();
    await p.sleeps();
  });

  it('also when its question came before the report of its start', async () => {
    const contract = await newContract(t);
    await runJobs(t);
    const start = (await daemon.pullOnly('task.start')).find(
      (command) => command.contractId === contract.id,
    );
    if (start === undefined) throw new Error('the supervisor found no place');
    const supervisor = await daemon.agent(start);
    const late = parkingOf(
      { ...scene, contract, supervisor, supervisorTaskId: start.taskId },
      task,
    );
    await late.ask();
    await daemon.started(start);
    await late.park();
    await late.sleeps();
  });

  it('and sleeps on: what its digest told it before is no news', async () => {
    const other = await running(scene, { name: 'goes on' });
    await scene.daemon.pull();
    await p.waitForTask();
    await p.turnEnded();
    await scene.daemon.ended(task);
    expect(await p.hears()).toEqual([expect.stringContaining('=== WAKE ===')]);
    await p.turnEnded();
    await p.park();
    await p.sleeps();
    await scene.daemon.ended(other);
    expect((await p.woken()).digest).toContain('goes on');
  });

  it('and sleeps on: a wait that it did not look at, and whose end it was told, is no news', async () => {
    await running(scene, { name: 'goes on' });
    await scene.daemon.pull();
    await p.waitForTask();
    await scene.daemon.ended(task);
    await p.turnEnded();
    const [told] = await scene.daemon.pullOnly('task.message');
    expect(told?.message.text).toContain('[Task done] builds');
    await scene.daemon.report({
      kind: 'message.received',
      ...p.supervisor(),
      messageId: told?.message.id ?? '',
      state: 'delivered',
    });
    await p.turnEnded();
    await p.park();
    await p.sleeps();
  });

  it('not while it works, has mail to read, or waits for nothing', async () => {
    await p.hasWaited(3_600);
    expect(await p.sweep()).toBe(0);
    await p.waitForTask();
    await messageTask(t.engine, by(t.owner), {
      id: scene.supervisorTaskId,
      message: 'hello',
      mode: 'queue',
    });
    await p.hasWaited(3_600);
    expect(await p.sweep()).toBe(0);
  });

  it('by the time of its contract, and never where that is 0', async () => {
    const { id } = scene.contract;
    await p.waitForTask();
    await patchContract(t.engine, by(t.owner), { id, parkAfterSeconds: 10 });
    await p.hasWaited(11);
    await patchContract(t.engine, by(t.owner), { id, parkAfterSeconds: 0 });
    expect((await getContract(t.engine, t.owner, { id })).parkAfterSeconds).toBe(0);
    await p.hasWaited(1_000_000);
    expect(await p.sweep()).toBe(0);
    await patchContract(t.engine, by(t.owner), { id, parkAfterSeconds: 10 });
    await p.hasWaited(11);
    expect(await p.sweep()).toBe(1);
  });

  it('at a guard that its agent came to, and goes on with the yes of a person', async () => {
    scene = await stage(t, { daemon, contract: { phaseGuard: true } });
    const { id } = scene.contract;
    await completeDeliverable(t.engine, by(scene.supervisor), {
      id,
      deliverableId: 'plan-document',
      evidence: [],
    });
    p = parkingOf(scene, task);
    const advance = { id, phase: 'execute' };
    await changePhase(t.engine, by(scene.supervisor), advance);
    await p.park();
    await p.sleeps();
    await changePhase(t.engine, by(t.owner), { ...advance, confirmed: true });
    const { start, digest } = await p.woken();
    expect(digest).toContain('Approve');
    await p.reads(start);
    const [row] = await t.database.sql`
      select state from supervisors where task_id = ${scene.supervisorTaskId}`;
    expect(row).toEqual({ state: 'working' });
  });

  it('never at a guard that what was shown has moved away from', async () => {
    scene = await stage(t, { daemon, contract: { phaseGuard: true } });
    const { id } = scene.contract;
    const deliver = (evidence: { kind: 'word'; text: string }[]) =>
      completeDeliverable(t.engine, by(evidence.length === 0 ? scene.supervisor : t.owner), {
        id,
        deliverableId: 'plan-document',
        evidence,
      });
    await deliver([]);
    p = parkingOf(scene, task);
    await changePhase(t.engine, by(scene.supervisor), { id, phase: 'execute' });
    await deliver([{ kind: 'word', text: 'as it stands now' }]);
    await p.hasWaited(1_000);
    expect(await p.sweep()).toBe(0);
  });

  it('soon where another waits for its place, unless its contract has a time of its own', async () => {
    const { id } = scene.contract;
    await p.waitForTask();
    const [before] = await t.database.sql<{ slots: number }[]>`
      with was as (select id, max_concurrent_tasks as slots from daemons where id = ${daemon.id})
      update daemons d set max_concurrent_tasks =
             (select count(*) from task_attempts where daemon_id = d.id and state in ('assigned', 'running'))
        from was where was.id = d.id returning was.slots`;
    await p.hasWaited(11);
    expect(await p.sweep()).toBe(0);
    // Who waits for longer where there is room holds up nobody.
    const roomy = await TestDaemon.join(t, { slots: 10 });
    const calm = await stage(t, { daemon: roomy });
    const still = parkingOf(calm, await running(calm, { name: 'goes on' }));
    await still.waitForTask();
    await still.hasWaited(100);
    const other = await newContract(t);
    await t.database.sql`
      update tasks set target_daemon_id = ${daemon.id} where contract_id = ${other.id}`;
    await runJobs(t);
    await patchContract(t.engine, by(t.owner), { id, parkAfterSeconds: 60 });
    await p.hasWaited(11);
    await p.sweep();
    expect(await scene.daemon.pullOnly('task.stop')).not.toContainEqual(
      expect.objectContaining(p.supervisor()),
    );
    await patchContract(t.engine, by(t.owner), { id, parkAfterSeconds: null });
    await p.hasWaited(11);
    expect(await parkWaiting(t.engine, { limit: 1 })).toBe(1);
    expect(await scene.daemon.pullOnly('task.stop')).toContainEqual(
      expect.objectContaining({ ...p.supervisor(), reason: 'parked' }),
    );
    await scene.daemon.ended(p.supervisor(), { outcome: 'parked' });
    await runJobs(t);
    const starts = await scene.daemon.pullOnly('task.start');
    expect(starts.map(({ contractId }) => contractId)).toEqual([other.id]);
    expect(await roomy.pullOnly('task.stop')).toEqual([]);
    await t.database.sql`update daemons set status = 'disconnected' where id = ${roomy.id}`;
    await t.database.sql`
      update daemons set max_concurrent_tasks = ${before?.slots ?? 0} where id = ${daemon.id}`;
  });

  it('and costs nothing: no lease, no key, no place, nothing that is missed', async () => {
    await p.waitForTask();
    await p.park();
    await expireLeases(t.engine, { limit: 100 });
    expect(await findOrphaned(t.engine, { limit: 10, olderThanMs: 0 })).toEqual([]);
    await p.sleeps();
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
