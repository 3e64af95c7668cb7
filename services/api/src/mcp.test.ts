/**
 * The tools of agents, called by the official client in both eras of the protocol and by plain HTTP as the
 * scripted agent does it.
 */
import { randomUUID } from 'node:crypto';
import type { Client } from '@modelcontextprotocol/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CommandOf } from '@makima/contracts/socket/commands';
import { expireWaits } from '@makima/engine/wait/expire';
import { tools } from './mcp-tools/all.ts';
import { callTool as call, connectMcp, type Era } from './testing/mcp.ts';
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
  contract = await startedContract(api, machine);
});
afterAll(() => api.stop());

const clients: Client[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
});

async function connected(key: string, era: Era = 'auto'): Promise<Client> {
  const client = await connectMcp(api.url, key, era);
  clients.push(client);
  return client;
}

const held = (count: number) => expect.poll(() => api.api.holds.size, { interval: 5 }).toBe(count);

async function spawned(client: Client): Promise<string> {
  const { value } = await call(client, 'makima_spawn', { name: 't', plan: 'p' }, randomUUID());
  await machine.assign();
  return value.taskId;
}

describe.each(['legacy', 'auto'] as const)('a client of the era "%s"', (era) => {
  it('sees the tools of its caller, with schemas and words that teach', async () => {
    const client = await connected(contract.supervisorKey, era);
    const listed = (await client.listTools()).tools;
    expect(listed.map((tool) => tool.name).toSorted()).toEqual(
      tools.map((tool) => tool.name).toSorted(),
    );
    for (const tool of listed) {
      expect(tool.description?.length, tool.name).toBeLessThanOrEqual(400);
      expect(tool.description?.length, tool.name).toBeGreaterThan(40);
      expect(tool.inputSchema, tool.name).toMatchObject({
        type: 'object',
        additionalProperties: false,
      });
      expect(tool.outputSchema, tool.name).toMatchObject({ type: 'object' });
      expect(tool._meta, tool.name).toMatchObject({ 'anthropic/alwaysLoad': true });
    }
    expect(client.getInstructions()).toContain('makima_spawn');
  });

  it('leads a contract: spawns, lists, waits, reads the result', async () => {
    const client = await connected(contract.supervisorKey, era);
    const id = await spawned(client);
    const { value: list } = await call(client, 'makima_list', {});
    expect(list.tasks).toContainEqual(expect.objectContaining({ taskId: id, status: 'running' }));
    expect((await call(client, 'makima_tree', {})).value.tree).toContain(`  t [running] ${id}`);
    const waiting = call(client, 'makima_wait', { taskIds: [id] });
    await held(1);
    await machine.report(ended(id, 1, 'made it'));
    expect((await waiting).value).toMatchObject({
      stillPending: false,
      tasks: [{ taskId: id, status: 'done', completed: true, summary: 'made it' }],
    });
    const { value: result } = await call(client, 'makima_result', { taskId: id });
    expect(result).toMatchObject({ status: 'done', summary: 'made it', commitSha: 'a'.repeat(40) });
  });

  it('goes on with a wait that was still pending, and is told of progress when it asked for it', async () => {
    const client = await connected(contract.supervisorKey, era);
    const id = await spawned(client);
    const { value } = await call(client, 'makima_wait', { taskIds: [id], timeoutSeconds: 0 });
    expect(value).toMatchObject({
      stillPending: true,
      next: { name: 'makima_wait', args: { taskIds: [id], mode: 'all', waitId: value.waitId } },
    });
    const progress = Promise.withResolvers<string | undefined>();
    const goOn = client.callTool(
      { name: value.next.name, arguments: value.next.args },
      { onprogress: ({ message }) => progress.resolve(message) },
    );
    expect(await progress.promise).toBe('waited 0 s');
    await machine.report(ended(id, 1, 'made it'));
    expect((await goOn).structuredContent).toMatchObject({
      stillPending: false,
      waitId: value.waitId,
    });
  });

  it('gives a wait up when its own time is over', async () => {
    const client = await connected(contract.supervisorKey, era);
    const id = await spawned(client);
    const waiting = call(client, 'makima_wait', { taskIds: [id], expiresInSeconds: 60 });
    await held(1);
    const { sql } = api.engine.database;
    await sql`update waits set until = clock() - interval '1 s' where target_ids = ${[id]}::uuid[]`;
    await expireWaits(api.engine, { limit: 10 });
    expect((await waiting).value).toMatchObject({
      stillPending: false,
      timedOut: true,
      note: expect.stringContaining('time of this wait is over'),
      tasks: [{ taskId: id, status: 'running', completed: false }],
    });
  });

  it('reads errors as results that tell the next step', async () => {
    const client = await connected(contract.supervisorKey, era);
    const nothing = await call(client, 'makima_result', { taskId: randomUUID() });
    expect(nothing).toMatchObject({ isError: true });
    expect(nothing.text).toMatch(/^NOT_FOUND: there is no task/);
    expect(nothing.problem).toMatchObject({ code: 'NOT_FOUND', status: 404 });
    const id = await spawned(client);
    const early = await call(client, 'makima_merge', { taskId: id });
    expect(early.text).toMatch(
      /^INVALID_TRANSITION: [^\n]+\nFacts: [^\n]+\nNext: wait for it first$/,
    );
    const wrong = await call(client, 'makima_spawn', { name: 't', surprise: 1 });
    expect(wrong).toMatchObject({ isError: true });
    expect(wrong.text).toMatch(/plan/);
    await expect(call(client, 'makima_nothing', {})).rejects.toThrow('not found');
  });
});

describe('a tool use', () => {
  it('has one effect, however often it comes and under whichever name of its id', async () => {
    const client = await connected(contract.supervisorKey);
    const id = randomUUID();
    const args = { name: 'once', plan: 'p' };
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => call(client, 'makima_spawn', args, id)),
    );
    const done = answers.filter((answer) => !answer.isError);
    expect(new Set(done.map((answer) => answer.value.taskId)).size).toBe(1);
    const byCodex = await client.callTool({
      name: 'makima_spawn',
      arguments: args,
      _meta: { callId: id },
    });
    expect(byCodex.structuredContent).toMatchObject({ taskId: done[0]?.value.taskId });
    const other = await call(client, 'makima_spawn', { ...args, plan: 'another' }, id);
    expect(other.text).toMatch(/^IDEMPOTENCY_MISMATCH/);
  });

  it('asks a question once, and is answered with its answer', async () => {
    const client = await connected(contract.supervisorKey);
    const id = randomUUID();
    const args = { question: 'red or blue?', choices: ['red', 'blue'] };
    const first = await call(client, 'makima_ask', { ...args, nonBlocking: true }, `${id}-a`);
    expect(first.value).toMatchObject({ stillPending: true, next: { name: 'makima_poll' } });
    const asking = call(client, 'makima_ask', args, id);
    await held(1);
    const again = call(client, 'makima_ask', args, id);
    await held(2);
    const { json } = await api.send(
      'GET',
      `/api/v1/mesh/questions?contractId=${contract.detail.id}`,
      { key: api.ownerKey },
    );
    expect(json.items.length).toBe(2);
    const questionId = json.items[1].id;
    const answer = { key: api.ownerKey, body: { response: 'blue' } };
    await api.send('POST', `/api/v1/mesh/questions/${questionId}/answer`, answer);
    for (const each of [await asking, await again]) {
      expect(each.value).toEqual({ stillPending: false, questionId, response: 'blue' });
    }
    const polled = await call(client, 'makima_poll', { questionId });
    expect(polled.value.response).toBe('blue');
    const foreign = await call(client, 'makima_poll', { questionId: randomUUID() });
    expect(foreign.text).toMatch(/^NOT_FOUND/);
  });

  it('ends when its caller goes', async () => {
    const client = await connected(contract.supervisorKey);
    const id = await spawned(client);
    const leaving = new AbortController();
    const waiting = client.callTool(
      { name: 'makima_wait', arguments: { taskIds: [id] } },
      { signal: leaving.signal },
    );
    await held(1);
    leaving.abort();
    await expect(waiting).rejects.toThrow();
    await held(0);
  });

  it('cleans what an agent cannot see of its own text', async () => {
    const client = await connected(contract.supervisorKey);
    const { value, isError } = await call(client, 'makima_spawn', {
      name: 'a\0b',
      plan: 'half \ud800 pair',
    });
    expect(isError).toBe(false);
    expect(value.name).toBe('ab');
  });

  it('of a machine’s work waits for the machine', async () => {
    const client = await connected(contract.supervisorKey);
    const id = await spawned(client);
    await machine.report(ended(id, 1, 'ready'));
    await machine.commands();
    const merging = call(client, 'makima_merge', { taskId: id, squash: true }, randomUUID());
    await held(1);
    const command = (await machine.commands()).find(
      (each) => each.kind === 'branch.merge',
    ) as CommandOf<'branch.merge'>;
    expect(command.squash).toBe(true);
    const conflicts = [{ path: 'a.ts', ours: null, theirs: null, hunks: [] }];
    await machine.report({
      kind: 'operation.finished',
      operationId: command.operationId,
      ok: true,
      result: {
        kind: 'branch.merge',
        success: false,
        message: 'conflicts in 1 file',
        commitSha: null,
        conflicts,
      },
      error: null,
    });
    expect((await merging).value).toMatchObject({
      stillPending: false,
      merged: false,
      conflicts,
      cut: false,
    });
  });
});

describe('who has which tools', () => {
  it('a task’s agent has its own few, and is told whose the others are', async () => {
    const leader = await connected(contract.supervisorKey);
    const id = await spawned(leader);
    const client = await connected(await machine.toolKey({ taskId: id, attempt: 1 }));
    expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual([
      'makima_checkpoint',
      'makima_checkpoints',
      'makima_status',
    ]);
    expect((await call(client, 'makima_status', {})).value).toMatchObject({
      kind: 'task',
      id,
      attempt: 1,
    });
    for (const name of ['makima_spawn', 'makima_merge', 'makima_advance', 'makima_ask']) {
      const refused = await call(client, name, {});
      expect(refused).toMatchObject({ isError: true });
      expect(refused.text).toMatch(/^NOT_SUPERVISOR/);
    }
    const others = await call(client, 'makima_checkpoint', {
      message: 'x',
      taskId: contract.supervisorTaskId,
    });
    expect(others.text).toMatch(/^NOT_FOUND/);
  });

  it('a person has those that need no agent, and names the contract', async () => {
    const client = await connected(api.ownerKey);
    const names = (await client.listTools()).tools.map((tool) => tool.name);
    expect(names).toContain('makima_spawn');
    expect(names).not.toContain('makima_ask');
    expect((await call(client, 'makima_list', {})).text).toMatch(/^NO_CONTEXT/);
    const { value } = await call(client, 'makima_list', { contractId: contract.detail.id });
    expect(value.tasks.length).toBeGreaterThan(0);
  });

  it('nobody else has any', async () => {
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    expect((await api.send('POST', '/mcp', { body })).status).toBe(401);
    expect((await api.send('POST', '/mcp', { key: machine.key, body })).status).toBe(403);
    expect(
      (
        await api.send('POST', '/mcp', {
          key: api.ownerKey,
          body,
          headers: { origin: 'https://evil.tld' },
        })
      ).status,
    ).toBe(403);
    expect((await api.send('GET', '/mcp', { key: contract.supervisorKey })).status).toBe(405);
    expect((await api.send('DELETE', '/mcp', { key: contract.supervisorKey })).status).toBe(405);
  });
});

describe('a plain client of 2025', () => {
  const post = (body: unknown) =>
    api.send('POST', '/mcp', {
      key: contract.supervisorKey,
      body,
      headers: {
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-11-25',
      },
    });

  it('says hello and calls', async () => {
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'plain', version: '1' },
    };
    const hello = messageOf(
      (await post({ jsonrpc: '2.0', id: 1, method: 'initialize', params })).text,
    );
    expect(hello.result).toMatchObject({
      protocolVersion: '2025-11-25',
      serverInfo: { name: 'makima' },
    });
    expect((await post({ jsonrpc: '2.0', method: 'notifications/initialized' })).status).toBe(202);
    const called = await post({
      jsonrpc: '2.0',
      id: 2,
      method: 'tools/call',
      params: { name: 'makima_status', arguments: {} },
    });
    expect(messageOf(called.text).result.structuredContent).toMatchObject({
      kind: 'contract',
      id: contract.detail.id,
    });
  });

  it('that sends nonsense is refused in words and harms nobody', async () => {
    for (const body of [
      [],
      {},
      { jsonrpc: '2.0' },
      1,
      'x',
      { jsonrpc: '1.0', id: 1, method: 'x' },
      { jsonrpc: '2.0', id: 1, method: 'tools/call' },
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: '__proto__', arguments: {} } },
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'constructor' } },
    ]) {
      const answer = await post(body);
      expect(answer.status, JSON.stringify(body)).toBeLessThan(500);
    }
    const deep = await api.send('POST', '/mcp', {
      key: contract.supervisorKey,
      raw: '['.repeat(100_000),
    });
    expect(deep).toMatchObject({ status: 400, json: { code: 'VALIDATION_FAILED' } });
    const large = await api.send('POST', '/mcp', {
      key: contract.supervisorKey,
      raw: Buffer.alloc(1_100_000, 0x20),
    });
    expect(large.status).toBe(413);
    expect(api.log.lines.filter((line) => line['level'] === 'error')).toEqual([]);
  });
});

/** The last message of a JSON body or of a stream. */
function messageOf(text: string): any {
  const data = text.includes('data: ') ? text.trim().split('data: ').at(-1) : text;
  return JSON.parse(data ?? '');
}
