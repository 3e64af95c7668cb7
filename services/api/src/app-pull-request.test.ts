/** Pull requests over HTTP and as a tool: the machine's result, a person's leave, and what is refused. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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
beforeAll(async () => {
  api = await startTestApi();
  machine = await joinMachine(api);
});
afterAll(() => api.stop());

const mesh = '/api/v1/mesh';
const held = (count: number) => expect.poll(() => api.api.holds.size, { interval: 5 }).toBe(count);
const branch = (): string => `makima/${contract.detail.slug}`;
const open = (more: object = {}, key = contract.supervisorKey) =>
  api.send('POST', `${mesh}/supervisor/pr`, {
    key,
    body: { branch: branch(), title: 'Fix it', ...more },
  });
const answer = (id: string, response: string) =>
  api.send('POST', `${mesh}/questions/${id}/answer`, { key: api.ownerKey, body: { response } });

async function asked<K extends Command['kind']>(kind: K): Promise<CommandOf<K>> {
  const all = await machine.commands();
  const found = all.filter((each): each is CommandOf<K> => each.kind === kind);
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`${found.length} times ${kind}`);
  return only;
}

const opened = (created = true): OperationResult => ({
  kind: 'pr.open',
  prUrl: 'https://github.com/ada/shop/pull/7',
  prNumber: 7,
  state: 'open',
  branch: branch(),
  baseBranch: 'main',
  commitSha: 'c'.repeat(40),
  created,
});
const finish = (operationId: string, result: OperationResult): Promise<void> =>
  machine.report({ kind: 'operation.finished', operationId, ok: true, result, error: null });
const fail = (operationId: string, error: OperationError): Promise<void> =>
  machine.report({ kind: 'operation.finished', operationId, ok: false, result: null, error });

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

describe('with the owner’s setting', () => {
  beforeEach(async () => {
    contract = await startedContract(api, machine, { allowPullRequests: true });
    await machine.commands();
  });

  it('is 201 when opened and 200 when it was there, alike by either door', async () => {
    const first = open({ body: 'All of it.' });
    await held(1);
    const { operationId } = await asked('pr.open');
    await finish(operationId, opened());
    const { status, json } = await first;
    expect(status).toBe(201);
    expect(json).toEqual({
      operationId,
      success: true,
      message: 'pull request #7 is open',
      prUrl: 'https://github.com/ada/shop/pull/7',
      prNumber: 7,
      state: 'open',
      branch: branch(),
      baseBranch: 'main',
      commitSha: 'c'.repeat(40),
      created: true,
    });
    expect(await tool('makima_pr', { branch: branch(), title: 'Fix it', operationId })).toEqual({
      stillPending: false,
      ...json,
    });
    const second = open();
    await held(1);
    await finish((await asked('pr.open')).operationId, opened(false));
    expect(await second).toMatchObject({ status: 200, json: { created: false, prNumber: 7 } });
  });

  it.each([
    [{ code: 'RATE_LIMITED', message: 'limit', retryable: true }, 429],
    [{ code: 'CONFLICT', message: 'closed', details: { prNumber: 7 } }, 409],
    [{ code: 'COMMAND_FAILED', message: 'the token', fix: 'another' }, 502],
    [{ code: 'MISSING_REPO_URL', message: 'no remote' }, 400],
  ] as const)('that the machine could not open is told: %j', async (error, status) => {
    const opening = open();
    await held(1);
    await fail((await asked('pr.open')).operationId, error);
    expect(await opening).toMatchObject({
      status,
      json: { code: error.code, detail: error.message },
    });
  });

  it('is not for a task’s agent, another contract’s branch, or without its words', async () => {
    const body = { name: 't', plan: 'p', contractId: contract.detail.id };
    const { json } = await api.send('POST', `${mesh}/supervisor/tasks`, {
      key: contract.supervisorKey,
      body,
    });
    await machine.assign();
    const key = await machine.toolKey({ taskId: json.id, attempt: 1 });
    expect((await open({}, key)).status).toBe(403);
    expect(await open({ branch: 'makima/other' })).toMatchObject({
      status: 400,
      json: { code: 'VALIDATION_FAILED', errors: [{ pointer: '/branch' }] },
    });
    for (const wrong of [{ title: ' ' }, { title: 'x'.repeat(257) }, { branch: '' }])
      expect((await open(wrong)).status).toBe(400);
    expect(await open({}, api.ownerKey)).toMatchObject({ json: { code: 'NO_CONTEXT' } });
    await machine.report(ended(json.id, 1, 'done'));
  });
});

describe('without it', () => {
  beforeEach(async () => {
    contract = await startedContract(api, machine);
    await machine.commands();
    const merging = api.send(
      'POST',
      `${mesh}/supervisor/tasks/${contract.supervisorTaskId}/merge`,
      {
        key: contract.supervisorKey,
        body: {},
      },
    );
    await held(1);
    const { operationId } = await asked('branch.merge');
    await finish(operationId, {
      kind: 'branch.merge',
      success: true,
      message: 'Merged',
      commitSha: 'b'.repeat(40),
      conflicts: [],
    });
    expect((await merging).status).toBe(200);
  });

  it('asks a person with 428, whose yes lets the next call through', async () => {
    const first = await open();
    expect(first).toMatchObject({
      status: 428,
      json: { code: 'CONFIRMATION_REQUIRED', retryable: true },
    });
    const { questionId } = first.json.details;
    expect(first.json.fix).toContain(questionId);
    expect((await open()).json.details.questionId).toBe(questionId);
    const inbox = await api.send('GET', '/api/v1/inbox', { key: api.ownerKey });
    expect(JSON.stringify(inbox.json.items)).toContain(questionId);
    await answer(questionId, 'Allow');
    const second = open();
    await held(1);
    await finish((await asked('pr.open')).operationId, opened());
    expect((await second).status).toBe(201);
  });

  it('the tool waits for the person, then opens it', async () => {
    const opening = tool('makima_pr', { branch: branch(), title: 'Fix it' });
    await held(1);
    const { json } = await api.send('GET', `${mesh}/questions?contractId=${contract.detail.id}`, {
      key: api.ownerKey,
    });
    await answer(json.items[0].id, 'Allow');
    const command = await expect
      .poll(() => machine.commands(), { interval: 5 })
      .toContainEqual(expect.objectContaining({ kind: 'pr.open' }))
      .then(
        () => api.engine.database.sql<{ id: string }[]>`
        select id from operations where kind = 'pr.open' order by id desc limit 1`,
      );
    await finish(command[0]?.id ?? '', opened());
    expect(await opening).toMatchObject({ success: true, prNumber: 7 });
  });

  it('the tool tells of a denial, and merges beyond the contract are asked for alike', async () => {
    const body = { name: 't', plan: 'p', contractId: contract.detail.id };
    const spawned = await api.send('POST', `${mesh}/supervisor/tasks`, {
      key: contract.supervisorKey,
      body,
    });
    const id = spawned.json.id;
    await machine.assign();
    await machine.report(ended(id, 1, 'done'));
    const merge = { taskId: id, targetBranch: 'main' };
    const refused = await api.send('POST', `${mesh}/supervisor/tasks/${id}/merge`, {
      key: contract.supervisorKey,
      body: { targetBranch: 'main' },
    });
    expect(refused.status).toBe(428);
    const { questionId } = refused.json.details;
    await answer(questionId, 'Deny: by hand');
    expect(await tool('makima_merge', { ...merge, questionId })).toMatchObject({
      stillPending: false,
      merged: false,
      message: 'A person denied it: Deny: by hand',
    });
    await machine.commands();
    // An answer to a question of its own opens nothing.
    const own = await api.send('POST', `${mesh}/supervisor/questions`, {
      key: contract.supervisorKey,
      body: { question: 'Fine?', choices: ['Allow'], nonBlocking: true },
    });
    await answer(own.json.questionId, 'Allow');
    const other = await tool('makima_pr', {
      branch: branch(),
      title: 'x',
      questionId: own.json.questionId,
    });
    expect(other).toMatchObject({ stillPending: true, success: false });
    expect(other.next.args.questionId).not.toBe(own.json.questionId);
    const kinds = (await machine.commands()).map(({ kind }) => kind);
    expect(kinds).not.toContain('pr.open');
  });
});
