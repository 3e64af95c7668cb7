/** A contract is completed by clean-up that was done, never by clean-up that failed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeStatus } from './change-status.ts';
import { cleanContract } from './clean.ts';
import { cleanupTriesMax } from './clean-stand.ts';
import { getContract } from './get.ts';
import { whyContract } from './why.ts';
import { requestMerge } from '../operation/merge.ts';
import { cleanUp } from '../test-clean-up.ts';
import { sha, TestDaemon } from '../test-daemon.ts';
import { by, eventsOf, openTestEngine, runJobs, type TestEngine } from '../test-engine.ts';
import { parkingOf } from '../test-parking.ts';
import { done, running, stage, taskRow, type Stage } from '../test-stage.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine();
  daemon = await TestDaemon.join(t, { slots: 20 });
});
afterAll(() => t.close());

/** A completing contract whose agents have ended; its clean-up is asked of the machine. And what was said before they had. */
async function completing(
  name: string,
  wish: 'branch' | 'merge' = 'branch',
): Promise<Stage & { readonly stopping: string }> {
  const wanted = { name, contractType: 'simple', autoMergeLocal: wish === 'merge' };
  const scene = await stage(t, { daemon, contract: wanted });
  await t.database.sql`
    update contracts set status = 'completing', completion_detected_at = clock() where id = ${scene.contract.id}`;
  await t.database.sql`
    insert into outbox (owner_id, queue, job_id, payload)
    select owner_id, 'clean-contract', 'clean-' || id, jsonb_build_object('v', 1, 'ownerId', owner_id, 'contractId', id)
      from contracts where id = ${scene.contract.id}`;
  await runJobs(t);
  const { summary: stopping } = await whyContract(t.engine, t.owner, { id: scene.contract.id });
  const keptRef = `refs/makima/kept/${scene.supervisorTaskId}`;
  await daemon.ended(
    { taskId: scene.supervisorTaskId, attempt: 1 },
    { outcome: 'stopped', keptRef },
  );
  await runJobs(t);
  return { ...scene, stopping };
}

/** The machine says no to everything that the clean-up asks; answers what it was asked. */
async function refuseAll(): Promise<string[]> {
  const asked: string[] = [];
  for (const command of await daemon.pull()) {
    if (!('operationId' in command)) continue;
    asked.push(command.kind);
    await daemon.report({
      kind: 'operation.finished',
      operationId: command.operationId,
      ok: false,
      result: null,
      error: { code: 'GIT_FAILED', message: 'index.lock is held' },
    });
  }
  await runJobs(t);
  return asked;
}

it('waits for no agent where none runs: ends a parked supervisor and has the branch delivered in one step', async () => {
  const scene = await stage(t, { daemon, contract: { name: 'parked', contractType: 'simple' } });
  const task = await running(scene, { name: 'builds' });
  const parking = parkingOf(scene, task);
  await parking.waitForTask();
  await parking.park();
  await daemon.ended(task, { outcome: 'done' });
  const { id } = scene.contract;
  await t.database.sql`
    update contracts set status = 'completing', completion_detected_at = clock() where id = ${id}`;
  await daemon.pull();
  // One look and no other: nobody reports the end of an agent that is not there.
  const { result } = await cleanContract(t.engine, t.system, { contractId: id });
  expect(result).toBe('keeping');
  expect((await taskRow(t, scene.supervisorTaskId)).status).toBe('done');
  const [command, ...others] = await daemon.pull();
  if (command?.kind !== 'branch.deliver') throw new Error('no delivery was asked for');
  expect(others).toEqual([]);
  const delivery = { branch: command.branch, commitSha: sha('d'), baseMoved: false, note: '' };
  await daemon.finish(command.operationId, { kind: 'branch.deliver', ...delivery });
  await cleanUp(t, daemon);
  expect((await getContract(t.engine, t.owner, { id })).status).toBe('completed');
});

describe('a clean-up that fails', () => {
  it('is tried again, then blocks the contract with its reason; a person may have it tried anew', async () => {
    const { contract } = await completing('fails');
    for (let n = 0; n < cleanupTriesMax; n += 1)
      expect(await refuseAll()).toEqual(['branch.deliver']);
    const now = await getContract(t.engine, t.owner, { id: contract.id });
    expect(now.status).toBe('blocked');
    expect(now.blockedReason).toContain('branch.deliver');
    expect(now.blockedReason).toContain('index.lock is held');
    const moves = (await eventsOf(t, contract.id)).filter(
      (event) => event.type === 'contract.status_changed',
    );
    expect(moves.slice(-2).map((event) => event.data['to'])).toEqual(['active', 'blocked']);
    expect(await refuseAll()).toEqual([]);

    await changeStatus(t.engine, by(t.owner), { id: contract.id, targetStatus: 'active' });
    await t.database
      .sql`update contracts set status = 'completing', completion_detected_at = clock() where id = ${contract.id}`;
    await t.database.sql`
      insert into outbox (owner_id, queue, job_id, payload)
      select owner_id, 'clean-contract', 'again-' || id, jsonb_build_object('v', 1, 'ownerId', owner_id, 'contractId', id)
        from contracts where id = ${contract.id}`;
    await cleanUp(t, daemon);
    expect((await getContract(t.engine, t.owner, { id: contract.id })).status).toBe('completed');
  });

  it('once and then succeeds completes it', async () => {
    const { contract } = await completing('succeeds');
    await refuseAll();
    await cleanUp(t, daemon);
    expect((await getContract(t.engine, t.owner, { id: contract.id })).status).toBe('completed');
  });

  it('names what it keeps once, also when the end of its agent named it before', async () => {
    const { contract, supervisorTaskId } = await completing('keeps');
    await cleanUp(t, daemon);
    const { status, keptRefs } = await getContract(t.engine, t.owner, { id: contract.id });
    const ref = `refs/makima/kept/${supervisorTaskId}`;
    expect([status, keptRefs]).toEqual([
      'completed',
      [{ taskId: supervisorTaskId, ref, why: 'stopped' }],
    ]);
    const told = (await eventsOf(t, contract.id)).filter(({ type }) => type === 'task.kept');
    expect(told.map(({ data }) => data['ref'])).toEqual([ref]);
  });
});

describe('a delivery', () => {
  it('that was to be merged and could not be is told: in the events and of the contract', async () => {
    const { contract } = await completing('dirty', 'merge');
    const command = (await daemon.pull()).find(({ kind }) => kind === 'branch.deliver');
    if (command?.kind !== 'branch.deliver') throw new Error('no delivery was asked for');
    const delivery = { branch: command.branch, commitSha: 'c'.repeat(40), baseMoved: false };
    const note = 'The checkout of the base branch has uncommitted changes';
    await daemon.finish(command.operationId, { kind: 'branch.deliver', ...delivery, note });
    await runJobs(t);
    await cleanUp(t, daemon);
    const now = await getContract(t.engine, t.owner, { id: contract.id });
    expect(now).toMatchObject({ status: 'completed', delivery: { ...delivery, note } });
    const [told] = (await eventsOf(t, contract.id)).filter(
      ({ type, data }) => type === 'operation.finished' && data['kind'] === 'branch.deliver',
    );
    expect(told?.data['summary']).toBe(
      `${command.branch} is in the repository, but not merged: ${note}`,
    );
  });
});

it('names to machines what is merged: the head that was told of, of each repository its own', async () => {
  const other = '/srv/repositories/other';
  const repositories = [{ localPath: '/srv/repositories/example' }, { localPath: other }];
  const of = await stage(t, { daemon, contract: { name: 'heads', repositories } });
  const { taskId } = await done(of, { repositoryUrl: other });
  const merge = { id: taskId, squash: false };
  const { result } = await requestMerge(t.engine, by(t.owner), merge);
  await daemon.finish(result.operationId ?? '', {
    kind: 'branch.merge',
    success: true,
    message: 'Merged',
    commitSha: sha('8'),
    conflicts: [],
    moved: { from: sha('7'), changed: ['a.ts'], complete: true },
  });
  const { id } = of.contract;
  await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'failed', reason: 'enough' });
  await runJobs(t);
  for (const stop of await daemon.pullOnly('task.stop'))
    await daemon.ended(stop, { outcome: 'stopped' });
  await runJobs(t);
  const cleans = await daemon.pullOnly('workdir.clean');
  const headFor = (task: string) => cleans.find((clean) => clean.taskId === task)?.contractHead;
  const branch = `makima/${of.contract.slug}`;
  expect(headFor(taskId)).toEqual({ contractId: id, branch, commitSha: sha('8') });
  expect(headFor(of.supervisorTaskId)).toBeNull();
});

describe('why, while a clean-up is owed', () => {
  it('names the machine and what it owes; away, it does not move and a person can act', async () => {
    const { contract, stopping } = await completing('owes');
    expect(stopping).toContain('cleaned up: 1 agent to stop (owes (supervisor)) on box.');
    const there = await whyContract(t.engine, t.owner, { id: contract.id });
    expect(there).toMatchObject({ moving: true });
    expect(there.summary).toContain('the branch to deliver on box');
    await t.database.sql`update daemons set status = 'disconnected' where id = ${daemon.id}`;
    const away = await whyContract(t.engine, t.owner, { id: contract.id });
    expect(away).toMatchObject({
      moving: false,
      blockers: [{ kind: 'machine_offline', act: `makima daemon revoke ${daemon.id}` }],
    });
    expect(away.summary).toContain('the branch to deliver');
    await daemon.connect();
    await cleanUp(t, daemon);
  });
});
