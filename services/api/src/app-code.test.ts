/**
 * Verbs that end in git, over HTTP and as tools: the machine's real result, late ones kept, and every way in
 * which they are refused.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerAsks } from '@makima/bus/ask';
import type { Command, CommandOf } from '@makima/contracts/socket/commands';
import type { OperationError, OperationResult } from '@makima/contracts/socket/reports';
import { startTestApi, type TestApi } from './testing/test-api.ts';
import {
  ended,
  joinMachine,
  startedContract,
  type TestContract,
  type TestMachine,
} from './testing/test-house.ts';

let api: TestApi;
let machine: TestMachine;
let contract: TestContract;
let neighbour: TestContract;
beforeAll(async () => {
  api = await startTestApi();
  machine = await joinMachine(api);
  contract = await startedContract(api, machine);
  neighbour = await startedContract(api, machine);
});
afterAll(() => api.stop());

const mesh = '/api/v1/mesh';
const sha = (digit: string): string => digit.repeat(40);
const held = (count: number) => expect.poll(() => api.api.holds.size, { interval: 5 }).toBe(count);

const post = (path: string, body: object, key = contract.supervisorKey) =>
  api.send('POST', `${mesh}${path}`, { key, body });
const get = (path: string, key = contract.supervisorKey) =>
  api.send('GET', `${mesh}${path}`, { key });

async function spawned(): Promise<string> {
  const body = { name: 't', plan: 'p', contractId: contract.detail.id };
  const { json } = await post('/supervisor/tasks', body);
  await machine.assign();
  return json.id;
}

async function done(): Promise<string> {
  const id = await spawned();
  await machine.report(ended(id, 1, 'ready'));
  await machine.commands();
  return id;
}

async function asked<K extends Command['kind']>(kind: K): Promise<CommandOf<K>> {
  const found = (await machine.commands()).filter(
    (each): each is CommandOf<K> => each.kind === kind,
  );
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`${found.length} times ${kind}`);
  return only;
}

const finish = (operationId: string, result: OperationResult): Promise<void> =>
  machine.report({ kind: 'operation.finished', operationId, ok: true, result, error: null });
const fail = (operationId: string, error: OperationError): Promise<void> =>
  machine.report({ kind: 'operation.finished', operationId, ok: false, result: null, error });

const merged: OperationResult = {
  kind: 'branch.merge',
  success: true,
  message: 'Merged',
  commitSha: sha('b'),
  conflicts: [],
};

async function tool(name: string, args: object, key = contract.supervisorKey): Promise<any> {
  const { json, text } = await api.send('POST', '/mcp', {
    key,
    body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } },
    headers: {
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
    },
  });
  const message = json ?? JSON.parse(text.split('data: ').at(-1) ?? '');
  return message.result.structuredContent ?? message.result.content[0].text;
}

describe('a branch', () => {
  const branch = 'makima/x.try';
  const made: OperationResult = {
    kind: 'branch.create',
    branch,
    commitSha: sha('c'),
    created: true,
  };

  it('is answered when the machine has made it, by either door alike', async () => {
    const making = post('/supervisor/branches', { branchName: 'try' });
    await held(1);
    const command = await asked('branch.create');
    expect(command).toMatchObject({
      branch: `makima/${contract.detail.slug}.try`,
      fromRef: null,
      contractBranch: `makima/${contract.detail.slug}`,
      taskId: contract.supervisorTaskId,
    });
    await finish(command.operationId, made);
    const { status, json } = await making;
    expect(status).toBe(201);
    expect(json).toEqual({
      operationId: command.operationId,
      success: true,
      branchName: branch,
      message: `${branch} stands at ${sha('c').slice(0, 12)}`,
      commitSha: sha('c'),
    });
    const byTool = await tool('makima_branch', {
      branchName: 'try',
      operationId: command.operationId,
    });
    expect(byTool).toEqual({ stillPending: false, ...json });
  });

  it('needs its contract, from a person', async () => {
    const nameless = await post('/supervisor/branches', { branchName: 'x' }, api.ownerKey);
    expect(nameless).toMatchObject({ status: 400, json: { code: 'NO_CONTEXT' } });
    const contractId = contract.detail.id;
    const making = post(
      '/supervisor/branches',
      { branchName: 'by-hand', fromRef: 'main', contractId },
      api.ownerKey,
    );
    await held(1);
    const command = await asked('branch.create');
    expect(command.fromRef).toBe('main');
    await fail(command.operationId, {
      code: 'CONFLICT',
      message: 'it is there',
      fix: 'other name',
    });
    expect(await making).toMatchObject({
      status: 409,
      json: { code: 'CONFLICT', detail: 'it is there', fix: 'other name' },
    });
  });

  it.each(['-x', '--output=/tmp/x', 'a..b', 'a b', 'UPPER', 'makima/other', 'x'.repeat(200)])(
    'is not named %j',
    async (branchName) => {
      const answer = await post('/supervisor/branches', { branchName });
      expect(answer).toMatchObject({ status: 400, json: { code: 'VALIDATION_FAILED' } });
      expect(answer.json.errors[0].pointer).toBe('/branchName');
    },
  );

  it('begins at no hostile ref, nor at another contract’s', async () => {
    const others = `makima/${neighbour.detail.slug}`;
    for (const fromRef of ['-x', 'a..b', 'refs/makima/tasks/x', others, '@{-1}', 'a\nb']) {
      const answer = await post('/supervisor/branches', { branchName: 'x', fromRef });
      expect(answer, fromRef).toMatchObject({ status: 400, json: { code: 'VALIDATION_FAILED' } });
    }
    const contractId = neighbour.detail.id;
    const foreign = await post('/supervisor/branches', { branchName: 'x', contractId });
    expect(foreign).toMatchObject({ status: 404, json: { code: 'CONTRACT_NOT_FOUND' } });
    const task = await machine.toolKey({ taskId: await spawned(), attempt: 1 });
    const byTask = await post('/supervisor/branches', { branchName: 'x' }, task);
    expect(byTask).toMatchObject({ status: 403 });
  });
});

describe('a merge', () => {
  it('shows conflicts to an agent as far as they fit', async () => {
    const id = await done();
    const merging = tool('makima_merge', { taskId: id });
    await held(1);
    const { operationId } = await asked('branch.merge');
    const conflict = (path: string) => ({ path, ours: 'o'.repeat(15_000), theirs: 't', hunks: [] });
    const conflicts = [conflict('a'), conflict('b')];
    await finish(operationId, {
      ...merged,
      success: false,
      commitSha: null,
      conflicts,
    } as OperationResult);
    expect(await merging).toMatchObject({
      cut: true,
      conflicts: [conflicts[0], { path: 'b', ours: null, theirs: null, hunks: [] }],
    });
  });

  it('is refused in a wrong state, into a branch of others, and by a strange name', async () => {
    const running = await spawned();
    expect(await post(`/supervisor/tasks/${running}/merge`, {})).toMatchObject({
      status: 400,
      json: { code: 'INVALID_TRANSITION', details: { status: 'running' } },
    });
    const id = await done();
    const theirs = { targetBranch: `makima/${neighbour.detail.slug}` };
    expect(await post(`/supervisor/tasks/${id}/merge`, theirs)).toMatchObject({
      status: 403,
      json: { code: 'FORBIDDEN' },
    });
    for (const targetBranch of ['--output=x', 'a..b']) {
      const answer = await post(`/supervisor/tasks/${id}/merge`, { targetBranch }, api.ownerKey);
      expect(answer.json).toMatchObject({ code: 'VALIDATION_FAILED' });
    }
    expect(await machine.commands()).toEqual([]);
  });

  it('that the machine cannot do is told with its code, fix and facts', async () => {
    const id = await done();
    const merging = post(`/supervisor/tasks/${id}/merge`, {});
    await held(1);
    const { operationId } = await asked('branch.merge');
    await fail(operationId, {
      code: 'NO_SUCH_CODE',
      message: 'it broke',
      fix: 'mend it',
      retryable: true,
      details: { reason: 'x' },
    });
    expect(await merging).toMatchObject({
      status: 502,
      json: {
        code: 'COMMAND_FAILED',
        detail: 'it broke',
        fix: 'mend it',
        retryable: true,
        details: { operationId, reason: 'x', cause: 'NO_SUCH_CODE' },
      },
    });
  });

  it('with the handle of another kind of work is refused', async () => {
    const id = await done();
    const diffing = get(`/supervisor/tasks/${id}/diff`);
    await held(1);
    const { operationId } = await asked('task.diff');
    const stats = { filesChanged: 0, insertions: 0, deletions: 0 };
    await finish(operationId, { kind: 'task.diff', diff: '', files: [], stats, truncated: true });
    expect((await diffing).json).toMatchObject({ success: true, truncated: true, operationId });
    expect(await tool('makima_diff', { taskId: id, operationId })).toMatchObject({ cut: true });
    expect(await tool('makima_merge', { taskId: id, operationId })).toMatch(/^VALIDATION_FAILED/);
    const foreign = await tool('makima_merge', { taskId: id, operationId: randomUUID() });
    expect(foreign).toMatch(/^NOT_FOUND/);
  });
});

describe('a checkpoint', () => {
  const made = {
    kind: 'task.checkpoint',
    commitSha: sha('d'),
    baseSha: sha('a'),
    branchName: 'makima/x/t-a1',
    filesChanged: 2,
    linesAdded: 3,
    linesRemoved: 1,
    patchParts: 0,
  } as const;

  it('is 201 when made, and listed with its counts for those who may see it', async () => {
    const id = await spawned();
    const own = await machine.toolKey({ taskId: id, attempt: 1 });
    const making = post(`/tasks/${id}/checkpoint`, { message: 'half' }, own);
    await held(1);
    const { operationId } = await asked('task.checkpoint');
    await finish(operationId, made);
    expect(await making).toMatchObject({
      status: 201,
      json: { taskId: id, checkpointNumber: 1, commitSha: sha('d'), message: 'half' },
    });
    expect(await tool('makima_checkpoint', { message: 'half', operationId }, own)).toMatchObject({
      stillPending: false,
      checkpointNumber: 1,
      commitSha: sha('d'),
    });
    for (const key of [own, contract.supervisorKey, api.ownerKey]) {
      const { json } = await get(`/tasks/${id}/checkpoints`, key);
      expect(json.items).toMatchObject([
        {
          checkpointNumber: 1,
          commitSha: sha('d'),
          branchName: 'makima/x/t-a1',
          filesChanged: 2,
          linesAdded: 3,
          linesRemoved: 1,
          message: 'half',
        },
      ]);
      const shown = await tool('makima_checkpoints', { taskId: id }, key);
      expect(shown.checkpoints).toEqual(
        json.items.map((item: object) => {
          const shownItem: Record<string, unknown> = { ...item };
          delete shownItem['id'];
          delete shownItem['taskId'];
          return shownItem;
        }),
      );
    }
    const sibling = await machine.toolKey({ taskId: await spawned(), attempt: 1 });
    for (const key of [sibling, neighbour.supervisorKey]) {
      expect((await get(`/tasks/${id}/checkpoints`, key)).status).toBe(404);
      const theirs = await post(`/tasks/${id}/checkpoint`, { message: 'x' }, key);
      expect(theirs.status).toBe(404);
    }
    expect((await get(`/tasks/${id}/checkpoints`, machine.key)).status).toBe(403);
  });
});

describe('a task that has been on no machine', () => {
  it('has nothing to read, merge, look at or keep', async () => {
    const body = {
      name: 'later',
      plan: 'p',
      contractId: contract.detail.id,
      needs: [await spawned()],
    };
    const id = (await post('/supervisor/tasks', body)).json.id;
    const none = { status: 503, json: { code: 'NO_DAEMON', retryable: true } };
    expect(await get(`/supervisor/tasks/${id}/diff`)).toMatchObject(none);
    const file = { filePath: 'README.md' };
    expect(await post(`/supervisor/tasks/${id}/read-file`, file)).toMatchObject(none);
    const checkpoint = await post(`/tasks/${id}/checkpoint`, { message: 'x' }, api.ownerKey);
    expect(checkpoint).toMatchObject(none);
    // Cancelled, it never will be on one: to ask again is of no use.
    expect((await post(`/tasks/${id}/cancel`, {})).status).toBe(200);
    const never = { status: 400, json: { code: 'INVALID_TRANSITION', retryable: false } };
    const tries = [
      await get(`/supervisor/tasks/${id}/diff`),
      await post(`/supervisor/tasks/${id}/read-file`, file),
      await post(`/tasks/${id}/checkpoint`, { message: 'x' }, api.ownerKey),
    ];
    for (const answer of tries) {
      expect(answer).toMatchObject(never);
      expect(answer.json.fix).toMatch(/new task/);
    }
  });
});

describe('a file', () => {
  it('is read from its machine; what that refuses or cannot answer is told', async () => {
    const id = await spawned();
    const answers: Record<string, () => unknown> = {
      'a.txt': () => ({ content: 'hello\n', exists: true, refused: null }),
      none: () => ({ content: '', exists: false, refused: null }),
      '../up': () => ({ content: '', exists: true, refused: 'path_outside_worktree' }),
      odd: () => ({ nonsense: true }),
      broken: () => {
        throw new Error('the disk is gone');
      },
    };
    const { daemonId } = machine.principal;
    const stop = await answerAsks(
      { bus: api.api.bus, pubsub: api.pubsubOfAnother },
      { daemonId, answer: async (ask) => answers[ask.filePath]?.() },
    );
    const read = (filePath: string) => post(`/supervisor/tasks/${id}/read-file`, { filePath });
    expect((await read('a.txt')).json).toEqual({
      taskId: id,
      filePath: 'a.txt',
      content: 'hello\n',
      exists: true,
    });
    expect(await tool('makima_read_file', { taskId: id, filePath: 'a.txt' })).toMatchObject({
      content: 'hello\n',
      exists: true,
    });
    expect((await read('none')).json).toMatchObject({ exists: false, content: '' });
    expect(await read('../up')).toMatchObject({
      status: 400,
      json: { code: 'VALIDATION_FAILED', errors: [{ pointer: '/filePath' }] },
    });
    for (const path of ['odd', 'broken'])
      expect(await read(path)).toMatchObject({ status: 502, json: { code: 'DAEMON_ERROR' } });
    stop();
  });
});
