/** Many contracts at once: each operation, what it shows before, and what fails for one alone. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { zAskInput } from '@makima/contracts/entity/question';
import { batchContracts as endpoint } from '@makima/contracts/http/batch';
import type { ContractStatus } from '@makima/domain/contract';
import { askQuestion } from '../question/ask.ts';
import { cleanUp } from '../test-clean-up.ts';
import { moveClock } from '../test-clock.ts';
import { TestDaemon } from '../test-daemon.ts';
import {
  by,
  newContract,
  openTestEngine,
  personOf,
  refusal,
  runJobs,
  stranger,
  type TestEngine,
} from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { contractRow, stage, taskRow, type Stage } from '../test-stage.ts';
import { batchContracts, type BatchInput, type BatchResult } from './batch.ts';
import { changeStatus } from './change-status.ts';
import { cleanLeftovers } from './clean-leftovers.ts';
import { restartSupervisor } from '../supervisor/restart.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine();
  daemon = await TestDaemon.join(t, { slots: 300 });
});
beforeEach(async () => {
  await moveClock(t, '0');
  // Contracts of the tests before are no part of this one.
  await cleanUp(t, daemon);
  await t.database.sql`alter table contracts disable trigger contracts_refuse`;
  await t.database.sql`update contracts set status = 'created', waiting_for = null`;
  await t.database.sql`alter table contracts enable trigger contracts_refuse`;
});
afterAll(() => t.close());

const batch = async (input: Partial<BatchInput>): Promise<BatchResult> => {
  const whole = endpoint.body?.parse(input) as BatchInput;
  return (await batchContracts(t.engine, by(t.owner), whole)).result;
};
const set = (id: string, targetStatus: ContractStatus, words: { reason?: string } = {}) =>
  changeStatus(t.engine, by(t.owner), { id, targetStatus, ...words });
const statusOf = async (id: string) => (await contractRow(t, id)).status;

/** Failed, and cleaned up. */
async function ended(): Promise<string> {
  const { id } = await newContract(t, { start: false });
  await set(id, 'failed');
  return id;
}
const sorted = (ids: readonly string[]) => ids.toSorted();

describe('archive_old', () => {
  it('archives what ended longer ago than the threshold, and only that', async () => {
    const old = [await ended(), await ended()];
    await moveClock(t, '6 days');
    const young = await ended();
    await moveClock(t, '8 days');
    const dry = await batch({ operation: 'archive_old', dry_run: true });
    expect(dry).toMatchObject({ dry_run: true, affected_count: 2, errors: [], remaining: false });
    expect(sorted(dry.affected_ids)).toEqual(sorted(old));
    expect(dry.preview[0]).toMatchObject({ status: 'failed', since: expect.any(String) });
    expect(await statusOf(old[0] ?? '')).toBe('failed');
    const unconfirmed = await refusal(batch({ operation: 'archive_old' }));
    expect(unconfirmed).toMatchObject({
      code: 'CONFIRMATION_REQUIRED',
      details: { affected_count: 2, preview: dry.preview },
    });
    const done = await batch({ operation: 'archive_old', confirm: true, reason: 'tidy' });
    expect(done).toMatchObject({ operation: 'archive_old', affected_count: 2, errors: [] });
    for (const id of old) expect(await statusOf(id)).toBe('archived');
    expect(await statusOf(young)).toBe('failed');
    expect(await batch({ operation: 'archive_old' })).toMatchObject({ affected_count: 0 });
    // One alone needs no confirmation.
    const one = await batch({ operation: 'archive_old', older_than_hours: 0 });
    expect(one.affected_ids).toEqual([young]);
  });

  it('is narrowed by a status filter', async () => {
    await ended();
    const only = { operation: 'archive_old', older_than_hours: 0 } as const;
    expect(await batch({ ...only, status_filter: ['completed'] })).toMatchObject({
      affected_count: 0,
    });
    expect(await refusal(batch({ ...only, status_filter: ['active'] }))).toMatchObject({
      code: 'VALIDATION_FAILED',
      message: 'archive_old is about contracts that are completed, failed, not active.',
    });
  });
});

it('pause_all and resume_all: everything stops, and goes on where it was', async () => {
  const active = await stage(t, { daemon });
  const waiting = await stage(t, { daemon });
  await askQuestion(t.engine, by(waiting.supervisor), zAskInput.parse({ question: 'Which?' }));
  const ids = sorted([active.contract.id, waiting.contract.id]);
  const paused = await batch({ operation: 'pause_all', confirm: true, reason: 'demo day' });
  expect(sorted(paused.affected_ids)).toEqual(ids);
  const stops = await daemon.pullOnly('task.stop');
  expect(stops).toHaveLength(2);
  for (const stop of stops) await daemon.ended(stop, { outcome: 'stopped' });
  const resumed = await batch({ operation: 'resume_all', confirm: true });
  expect(sorted(resumed.affected_ids)).toEqual(ids);
  expect(await statusOf(active.contract.id)).toBe('active');
  expect(await statusOf(waiting.contract.id)).toBe('waiting_for_input');
  await runJobs(t);
  const starts = await daemon.pullOnly('task.start');
  expect(starts.map(({ attempt, resumeSession }) => [attempt, resumeSession])).toEqual([
    [2, true],
    [2, true],
  ]);
  for (const start of starts) await daemon.started(start);
});

it('pause_all lets agents end their turns, when it is told how long; no other operation does', async () => {
  const { contract, supervisorTaskId } = await stage(t, { daemon });
  await batch({ operation: 'pause_all', finish_turn_seconds: 600 });
  expect(await daemon.pullOnly('task.stop')).toMatchObject([
    { taskId: supervisorTaskId, reason: 'paused', finishTurnMs: 600_000 },
  ]);
  expect(await statusOf(contract.id)).toBe('paused');
  expect((await taskRow(t, supervisorTaskId)).status).toBe('running');
  expect(await batch({ operation: 'pause_all', finish_turn_seconds: 9 })).toMatchObject({
    affected_count: 0,
  });
  // Hurried by another one, as a single pause is.
  expect((await batch({ operation: 'pause_all' })).affected_ids).toEqual([contract.id]);
  const [stop] = await daemon.pullOnly('task.stop');
  expect(stop?.finishTurnMs).toBeUndefined();
  expect(await batch({ operation: 'pause_all' })).toMatchObject({ affected_count: 0 });
  await daemon.ended({ taskId: supervisorTaskId, attempt: 1 }, { outcome: 'stopped' });
  const wrong = { operation: 'resume_all', finish_turn_seconds: 600 };
  expect(endpoint.body?.safeParse(wrong).error?.issues).toMatchObject([
    { path: ['finish_turn_seconds'], message: 'is of pause_all only' },
  ]);
});

it('cleanup_archived: partial failure is told for the one that fails, and stops no other', async () => {
  const gone = await ended();
  await set(gone, 'archived');
  const busy = await stage(t, { daemon });
  await set(busy.contract.id, 'failed');
  await set(busy.contract.id, 'archived');
  await runJobs(t);
  const result = await batch({
    operation: 'cleanup_archived',
    older_than_hours: 0,
    confirm: true,
  });
  expect(result).toMatchObject({
    affected_count: 1,
    affected_ids: [gone],
    errors: [
      {
        contract_id: busy.contract.id,
        code: 'INVALID_TRANSITION',
        error: 'its clean-up is still under way',
      },
    ],
  });
  await expect(contractRow(t, gone)).rejects.toThrow('there is no contract');
  expect(await statusOf(busy.contract.id)).toBe('archived');
});

it('clean_worktrees: what a machine did not clean is asked of it once more', async () => {
  const scene = await stage(t, { daemon });
  const { id } = scene.contract;
  await set(id, 'failed');
  const failing = async () => {
    await runJobs(t);
    for (const command of await daemon.pull()) {
      if (command.kind === 'task.stop') await daemon.ended(command, { outcome: 'stopped' });
      if (command.kind === 'workdir.clean')
        await daemon.report({
          kind: 'operation.finished',
          operationId: command.operationId,
          ok: false,
          result: null,
          error: { code: 'COMMAND_FAILED', message: 'the disk is gone' },
        });
    }
  };
  for (let round = 0; round < 8; round += 1) await failing();
  const dry = await batch({ operation: 'clean_worktrees', dry_run: true });
  expect(dry.affected_ids).toEqual([id]);
  expect(await batch({ operation: 'clean_worktrees' })).toMatchObject({ affected_count: 1 });
  const [clean] = await daemon.pullOnly('workdir.clean');
  expect(clean).toMatchObject({ taskId: scene.supervisorTaskId, contractHead: null });
  // It is under way, and then it is done: nothing is left.
  expect(await batch({ operation: 'clean_worktrees' })).toMatchObject({ affected_count: 0 });
  expect((await refusal(cleanLeftovers(t.engine, by(t.owner), { id }))).code).toBe(
    'INVALID_TRANSITION',
  );
  await daemon.finish(clean?.operationId ?? '', { kind: 'workdir.clean', keptRefs: [] });
  expect(await batch({ operation: 'clean_worktrees' })).toMatchObject({ affected_count: 0 });
});

describe('restart_stale', () => {
  const epochOf = async (scene: Stage) => {
    await runJobs(t);
    return (await taskRow(t, scene.supervisorTaskId)).currentAttempt;
  };

  it('restarts supervisors without progress, with their session', async () => {
    const stale = await stage(t, { daemon });
    await moveClock(t, '20 minutes');
    const fresh = await stage(t, { daemon });
    await moveClock(t, '40 minutes');
    const result = await batch({ operation: 'restart_stale' });
    expect(result.affected_ids).toEqual([stale.contract.id]);
    const [stop] = await daemon.pullOnly('task.stop');
    expect(stop).toMatchObject({ taskId: stale.supervisorTaskId, attempt: 1, reason: 'paused' });
    expect(await epochOf(stale)).toBe(1);
    await daemon.ended({ taskId: stale.supervisorTaskId, attempt: 1 }, { outcome: 'stopped' });
    expect(await epochOf(stale)).toBe(2);
    expect(await epochOf(fresh)).toBe(1);
    const [start] = await daemon.pullOnly('task.start');
    expect(start).toMatchObject({ taskId: stale.supervisorTaskId, resumeSession: true });
    // Its new start is progress: it is stale no more.
    expect(await batch({ operation: 'restart_stale' })).toMatchObject({ affected_count: 0 });
    const sooner = await batch({ operation: 'restart_stale', stale_threshold: 10, dry_run: true });
    expect(sooner.affected_ids).toEqual([fresh.contract.id]);
  });

  it('says why when there is nothing to restart', async () => {
    const none = await newContract(t, { start: false });
    const restart = (id: string) => restartSupervisor(t.engine, by(t.owner), { id });
    expect((await refusal(restart(none.id))).code).toBe('SUPERVISOR_NOT_FOUND');
    const scene = await stage(t, { daemon });
    await set(scene.contract.id, 'paused');
    expect((await refusal(restart(scene.contract.id))).message).toContain('the contract is paused');
    const pending = await newContract(t);
    expect((await refusal(restart(pending.id))).message).toContain('waits for a place');
    await runJobs(t);
  });
});

it('Only admins can batch: a member and a foreigner touch nothing', async () => {
  const id = await ended();
  const input = endpoint.body?.parse({ operation: 'archive_old', older_than_hours: 0 });
  const member = await personOf(t, { role: 'member' });
  const refused = await refusal(batchContracts(t.engine, by(member), input as BatchInput));
  expect(refused.code).toBe('FORBIDDEN');
  const { result } = await batchContracts(t.engine, by(await stranger(t)), input as BatchInput);
  expect(result.affected_count).toBe(0);
  expect(await statusOf(id)).toBe('failed');
});

it('changes nothing that has moved on since it was found', async () => {
  const id = await ended();
  await set(id, 'archived');
  const late = changeStatus(t.engine, by(t.owner), {
    id,
    targetStatus: 'archived',
    onlyFrom: 'failed',
  });
  expect((await refusal(late)).message).toBe('it is archived by now');
});

it('leaves every invariant whole', async () => {
  expect(await brokenInvariants(t)).toEqual({});
});
