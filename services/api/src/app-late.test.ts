/**
 * A machine that does not report while anybody waits: a handle at once, and its late result is kept, shown to
 * whoever looks or asks again, and asked of the machine only once.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Command, CommandOf } from '@makima/contracts/socket/commands';
import type { OperationResult } from '@makima/contracts/socket/reports';
import { revokeDaemon } from '@makima/engine/identity/daemons';
import { startTestApi, type TestApi } from './testing/test-api.ts';
import {
  ended,
  joinMachine,
  ownerOf,
  startedContract,
  type TestContract,
  type TestMachine,
} from './testing/test-house.ts';

let api: TestApi;
let machine: TestMachine;
let contract: TestContract;
beforeAll(async () => {
  // No request waits for a machine.
  const machineHolds = { mergeMs: 0, checkpointMs: 0, branchMs: 0, diffMs: 0 };
  api = await startTestApi({ machineHolds });
  machine = await joinMachine(api);
  contract = await startedContract(api, machine);
});
afterAll(() => api.stop());

const mesh = '/api/v1/mesh';
const sha = (digit: string): string => digit.repeat(40);

const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  api.send('POST', `${mesh}${path}`, { key: contract.supervisorKey, body, headers });
const get = (path: string) => api.send('GET', `${mesh}${path}`, { key: contract.supervisorKey });

async function done(): Promise<string> {
  const body = { name: 't', plan: 'p', contractId: contract.detail.id };
  const { json } = await post('/supervisor/tasks', body);
  await machine.assign();
  await machine.report(ended(json.id, 1, 'ready'));
  await machine.commands();
  return json.id;
}

async function asked<K extends Command['kind']>(kind: K): Promise<CommandOf<K>> {
  const all = await machine.commands();
  const found = all.filter((each): each is CommandOf<K> => each.kind === kind);
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`${found.length} times ${kind}`);
  return only;
}

const finish = (operationId: string, result: OperationResult): Promise<void> =>
  machine.report({ kind: 'operation.finished', operationId, ok: true, result, error: null });

const merged: OperationResult = {
  kind: 'branch.merge',
  success: true,
  message: 'Merged',
  commitSha: sha('b'),
  conflicts: [],
};
const conflicts = [{ path: 'a', ours: 'o', theirs: 't', hunks: ['<<<<<<<'] }];
const refused: OperationResult = { ...merged, success: false, commitSha: null, conflicts };

describe('a merge', () => {
  it('is a 504 that names its operation; asked again it is the same, and shows what came late', async () => {
    const id = await done();
    const merge = () => post(`/supervisor/tasks/${id}/merge`, {});
    const late = await merge();
    expect(late).toMatchObject({
      status: 504,
      json: { code: 'OPERATION_TIMED_OUT', retryable: true },
    });
    const { operationId } = late.json.details;
    expect(late.json.fix).toContain(operationId);
    expect((await merge()).json.details).toEqual({ operationId });
    expect((await asked('branch.merge')).operationId).toBe(operationId);
    await finish(operationId, merged);
    expect(await merge()).toMatchObject({
      status: 200,
      json: { operationId, success: true, commitSha: sha('b') },
    });
    const kept = await get(`/operations/${operationId}`);
    expect(kept.json).toMatchObject({ state: 'done', result: merged });
    expect((await get(`/tasks/${id}`)).json.status).toBe('merged');
    expect(await machine.commands()).toEqual([]);
  });

  it('that came late with conflicts is shown once, then tried anew', async () => {
    const id = await done();
    const merge = () => post(`/supervisor/tasks/${id}/merge`, {});
    const { operationId } = (await merge()).json.details;
    await asked('branch.merge');
    await finish(operationId, refused);
    expect(await merge()).toMatchObject({ status: 200, json: { success: false, conflicts } });
    expect((await get(`/tasks/${id}`)).json.status).toBe('done');
    expect((await merge()).status).toBe(504);
    expect((await asked('branch.merge')).operationId).not.toBe(operationId);
  });

  it('that was looked at by its handle is tried anew', async () => {
    const id = await done();
    const { operationId } = (await post(`/supervisor/tasks/${id}/merge`, {})).json.details;
    await asked('branch.merge');
    await finish(operationId, refused);
    expect((await get(`/operations/${operationId}`)).json.result).toEqual(refused);
    const again = await post(`/supervisor/tasks/${id}/merge`, {});
    expect(again.json.details.operationId).not.toBe(operationId);
  });

  it('with another target or way is another merge', async () => {
    const id = await done();
    const plain = await post(`/supervisor/tasks/${id}/merge`, {});
    const squash = await post(`/supervisor/tasks/${id}/merge`, { squash: true });
    expect(squash.json.details.operationId).not.toBe(plain.json.details.operationId);
    await machine.commands();
  });

  it('under one key is one merge for ever', async () => {
    const id = await done();
    const key = { 'idempotency-key': `merge-${id}` };
    const merge = () => post(`/supervisor/tasks/${id}/merge`, {}, key);
    const { operationId } = (await merge()).json.details;
    await asked('branch.merge');
    await finish(operationId, refused);
    for (const _ of [1, 2]) expect((await merge()).json).toMatchObject({ operationId, conflicts });
    expect(await machine.commands()).toEqual([]);
  });
});

it('a checkpoint is a 202 with a handle', async () => {
  const id = await done();
  const slow = await api.send('POST', `${mesh}/tasks/${id}/checkpoint`, {
    key: api.ownerKey,
    body: { message: 'slow' },
  });
  expect(slow).toMatchObject({ status: 202, json: { checkpointNumber: 1, commitSha: null } });
  const { operationId } = await asked('task.checkpoint');
  expect(slow.json.operationId).toBe(operationId);
  await finish(operationId, {
    kind: 'task.checkpoint',
    commitSha: sha('e'),
    baseSha: sha('a'),
    branchName: 'b',
    filesChanged: 1,
    linesAdded: 1,
    linesRemoved: 0,
    patchParts: 0,
  });
  const listed = await get(`/tasks/${id}/checkpoints`);
  expect(listed.json.items).toMatchObject([{ checkpointNumber: 1, commitSha: sha('e') }]);
});

it('a diff and a branch are 504s that name their operations', async () => {
  const id = await done();
  const diffs = await Promise.all([1, 2].map(() => get(`/supervisor/tasks/${id}/diff`)));
  for (const { status, json } of diffs)
    expect([status, json.code]).toEqual([504, 'OPERATION_TIMED_OUT']);
  const [one, two] = diffs.map(({ json }) => json.details.operationId);
  expect(one).toBe(two);
  const branch = await post('/supervisor/branches', { branchName: 'late', fromRef: 'main' });
  expect(branch).toMatchObject({ status: 504, json: { code: 'OPERATION_TIMED_OUT' } });
  await machine.commands();
});

it('a machine that was revoked answers nothing more: what it owed fails, and it is asked no more', async () => {
  const other = await joinMachine(api);
  const id = await done();
  // Its work is on the machine that goes.
  await api.engine.database.sql`
    update tasks set home_daemon_id = ${other.principal.daemonId} where id = ${id}`;
  const { operationId } = (await post(`/supervisor/tasks/${id}/merge`, {})).json.details;
  const caller = await ownerOf(api);
  await revokeDaemon(api.engine, { caller }, { id: other.principal.daemonId });
  expect((await get(`/operations/${operationId}`)).json).toMatchObject({
    state: 'failed',
    error: { code: 'NO_DAEMON' },
  });
  for (const path of [`/supervisor/tasks/${id}/merge`, `/supervisor/tasks/${id}/diff`]) {
    const answer = path.endsWith('merge') ? await post(path, {}) : await get(path);
    expect(answer).toMatchObject({ status: 503, json: { code: 'NO_DAEMON', retryable: false } });
  }
});
