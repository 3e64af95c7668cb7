/** The tool door on loopback: tokens, hosts, holds, and an API that goes away. */
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { problemInMeta } from '@makima/contracts/problem';
import { createLog } from '@makima/runtime/log';
import { openToolDoor, type ToolDoor } from './door.ts';

const run = {
  taskId: '0190a0a0-0000-7000-8000-000000000001',
  attempt: 2,
  toolKey: 'mk_tool_secret',
};
const call = (id: number): string => JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/list' });

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

describe('the tool door', () => {
  let api: Server;
  let door: ToolDoor;
  let token: string;
  let seen: { headers: IncomingMessage['headers']; body: string }[];
  let answer: (request: IncomingMessage, respond: (status: number, body: string) => void) => void;

  const listen = async (server: Server, port = 0): Promise<number> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const makeApi = (): Server =>
    createServer((incoming, response) => {
      let body = '';
      incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
      incoming.on('end', () => {
        seen.push({ headers: incoming.headers, body });
        answer(incoming, (status, text) =>
          response.writeHead(status, { 'content-type': 'application/json' }).end(text),
        );
      });
    });
  const open = async (port: number, more: { retryMs?: number; holdMs?: number } = {}) => {
    const log = createLog({ service: 'test', level: 'silent' });
    door = await openToolDoor({ apiUrl: `http://127.0.0.1:${port}`, log, retryMs: 200, ...more });
    token = door.open(run).token;
  };
  beforeEach(async () => {
    seen = [];
    answer = (_request, respond) => respond(200, '{"jsonrpc":"2.0","id":1,"result":{}}');
    api = makeApi();
    await open(await listen(api));
  });
  afterEach(async () => {
    await door.stop();
    api.closeAllConnections();
    api.close();
  });

  const ask = (
    options: {
      method?: string;
      path?: string;
      headers?: Record<string, string>;
      body?: string | Buffer;
    } = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const url = new URL(door.url);
      const sent = request(
        {
          host: '127.0.0.1',
          port: url.port,
          path: options.path ?? '/mcp',
          method: options.method ?? 'POST',
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            ...options.headers,
          },
        },
        (response) => {
          let body = '';
          response.on('data', (chunk: Buffer) => (body += chunk.toString()));
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
          );
          response.on('error', reject);
        },
      );
      sent.on('error', reject);
      sent.end(options.method === 'GET' ? undefined : (options.body ?? call(1)));
    });

  it('forwards a call with the key of the run, and nothing of the agent but the call', async () => {
    const got = await ask({ headers: { 'mcp-protocol-version': '2025-11-25', 'x-evil': '1' } });
    expect(got).toMatchObject({ status: 200, body: '{"jsonrpc":"2.0","id":1,"result":{}}' });
    expect(seen[0]?.headers).toMatchObject({
      authorization: 'Bearer mk_tool_secret',
      'x-makima-run': `${run.taskId}/2`,
      'mcp-protocol-version': '2025-11-25',
    });
    expect(seen[0]?.headers['x-evil']).toBeUndefined();
    expect(seen[0]?.body).toBe(call(1));
    expect(JSON.stringify(got)).not.toContain('mk_tool_secret');
  });

  it('opens to the living token only, as Bearer in the header', async () => {
    for (const authorization of [
      '',
      'Bearer ',
      'Bearer x',
      `Bearer ${token}x`,
      `bearer ${token}`,
      `Basic ${token}`,
      token,
    ]) {
      expect((await ask({ headers: { authorization } })).status, authorization).toBe(401);
    }
    expect((await ask({ path: `/mcp?token=${token}` })).status).toBe(404);
    const other = door.open({ ...run, attempt: 3 });
    expect((await ask({ headers: { authorization: `Bearer ${other.token}` } })).status).toBe(200);
    other.close();
    expect((await ask({ headers: { authorization: `Bearer ${other.token}` } })).status).toBe(401);
    expect(seen).toHaveLength(1);
  });

  it('refuses other names, browsers, paths and methods', async () => {
    expect((await ask({ headers: { host: 'attacker.test' } })).status).toBe(421);
    expect((await ask({ headers: { host: '127.0.0.1' } })).status).toBe(421);
    expect((await ask({ headers: { origin: 'http://127.0.0.1' } })).status).toBe(403);
    for (const path of ['/', '/mcp/', '/MCP', '//mcp', '/mcp/../mcp', '/api/v1/contracts']) {
      expect((await ask({ path })).status, path).toBe(404);
    }
    expect(await ask({ method: 'GET' })).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect(
      await ask({ method: 'GET', path: '/healthz', headers: { authorization: '' } }),
    ).toMatchObject({
      status: 200,
    });
    expect(seen).toEqual([]);
  });

  it('refuses a call that is too large', async () => {
    const got = await ask({ body: Buffer.alloc(1_048_577, 'x') }).catch(() => ({ status: 413 }));
    expect(got.status).toBe(413);
    expect(seen).toEqual([]);
    expect((await ask()).status).toBe(200);
  });

  it('passes a stream on as it comes, and ends the call when the agent goes away', async () => {
    let gone: Promise<unknown> = Promise.resolve();
    api.removeAllListeners('request');
    api.on('request', (incoming, response) => {
      incoming.resume();
      gone = once(response, 'close');
      response.writeHead(200, { 'content-type': 'text/event-stream', 'mcp-session-id': 's1' });
      response.write('data: first\n\n');
    });
    const url = new URL(door.url);
    const sent = request({
      host: '127.0.0.1',
      port: url.port,
      path: '/mcp',
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    sent.on('error', () => undefined);
    sent.end(call(1));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'mcp-session-id': 's1',
    });
    const [chunk] = (await once(response, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('data: first\n\n');
    response.on('error', () => undefined);
    sent.destroy();
    await gone;
  });

  it('waits for an API that refuses connections, and calls it once when it is there', async () => {
    const { port } = api.address() as AddressInfo;
    await door.stop();
    api.closeAllConnections();
    api.close();
    await open(port, { retryMs: 10_000 });
    const waiting = ask();
    api = makeApi();
    await listen(api, port);
    expect((await waiting).status).toBe(200);
    expect(seen).toHaveLength(1);
  });

  it('tells the agent to try again when the API cannot be reached or breaks off', async () => {
    const { port } = api.address() as AddressInfo;
    api.removeAllListeners('request');
    let calls = 0;
    api.on('request', (incoming) => {
      calls += 1;
      incoming.socket.destroy();
    });
    const plain = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: {} });
    const broken = JSON.parse((await ask({ body: plain })).body) as object;
    expect(broken).toMatchObject({ id: 7, error: { code: -32_000, data: { retryable: true } } });
    // It may have been applied: only the agent may say it again, under the same id.
    expect(calls).toBe(1);
    api.closeAllConnections();
    api.close();
    await door.stop();
    await open(port, { retryMs: 100 });
    const refused = JSON.parse((await ask({ body: call(8) })).body) as object;
    expect(refused).toMatchObject({ id: 8, error: { data: { retryable: true } } });
  });

  it('asks again for a call that names its tool use, into the same open answer', async () => {
    const { port } = api.address() as AddressInfo;
    const _meta = { 'claudecode/toolUseId': 'toolu_1' };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'tools/call', params: { _meta } });
    const bodies: string[] = [];
    api.removeAllListeners('request');
    api.on('request', (incoming, outgoing) => {
      let sent = '';
      incoming.on('data', (chunk: Buffer) => (sent += chunk.toString()));
      incoming.on('end', () => {
        bodies.push(sent);
        outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
        outgoing.write(
          'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/progress"}\n\n',
        );
        if (bodies.length === 1) setImmediate(() => incoming.socket.destroy());
        else outgoing.end('event: message\ndata: {"jsonrpc":"2.0","id":5,"result":{}}\n\n');
      });
    });
    await door.stop();
    await open(port, { retryMs: 5_000 });
    const answered = await ask({ body });
    expect(bodies).toEqual([body, body]);
    expect(answered.body).toContain('"id":5,"result":{}');
    expect(answered.body.match(/"result"/g)).toHaveLength(1);
  });

  it('asks again while a tool answers that its store is away, and passes any other refusal on', async () => {
    const { port } = api.address() as AddressInfo;
    await door.stop();
    await open(port, { retryMs: 5_000 });
    const refusal = (code: string, retryable = true): string => {
      const _meta = { [problemInMeta]: { code, retryable } };
      return JSON.stringify({
        jsonrpc: '2.0',
        id: 6,
        result: { content: [], isError: true, _meta },
      });
    };
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 6,
      method: 'tools/call',
      params: { name: 'makima_spawn', _meta: { 'makima/toolUseId': 'use-1' } },
    });
    const answers = ['DEPENDENCY_UNAVAILABLE', 'IDEMPOTENCY_IN_FLIGHT', 'FORBIDDEN'].map((code) =>
      refusal(code),
    );
    answer = (_request, respond) => respond(200, answers.shift() ?? '');
    expect((await ask({ body })).body).toBe(refusal('FORBIDDEN'));
    expect(seen.map((call2) => call2.body)).toEqual([body, body, body]);
    // What would not be served at any other time either is told.
    const final = refusal('DEPENDENCY_UNAVAILABLE', false);
    answers.push(final, refusal('FORBIDDEN'));
    expect((await ask({ body })).body).toBe(final);
  });

  it('ends a call that is held for too long', async () => {
    const { port } = api.address() as AddressInfo;
    await door.stop();
    await open(port, { holdMs: 150 });
    answer = () => undefined;
    const late = JSON.parse((await ask({ body: call(9) })).body) as object;
    expect(late).toMatchObject({ id: 9, error: { data: { retryable: true } } });
  });

  it('passes refusals of the API on', async () => {
    answer = (_request, respond) => respond(403, '{"code":"FORBIDDEN"}');
    expect(await ask()).toMatchObject({ status: 403, body: '{"code":"FORBIDDEN"}' });
  });
});
