/** Tools called over HTTP: values, errors with their codes, tries under one id. */
import { afterEach, describe, expect, it } from 'vitest';
import { MakimaError } from '@makima/domain/error';
import { startToolServer, type ToolServer } from './testing/tool-server.ts';
import { createToolClient } from './tools.ts';

const servers: ToolServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(...args: Parameters<typeof startToolServer>): Promise<ToolServer> {
  const server = await startToolServer(...args);
  servers.push(server);
  return server;
}

const refusals = {
  makima_refuse: () => {
    throw new MakimaError('INVALID_TRANSITION', 'it is over', {
      fix: 'look at it',
      details: { status: 'done' },
    });
  },
};

describe.each([{}, { stream: true }] as const)('a door that answers with %j', (how) => {
  it('gives the value of the tool, and the same call carries one id', async () => {
    const server = await serve({ makima_ping: ({ args }) => ({ pong: args['word'] }) }, how);
    const tools = createToolClient({ url: server.url, key: 'k' });
    expect(await tools.call('makima_ping', { word: 'hi' }, { toolUseId: 'mine' })).toEqual({
      pong: 'hi',
    });
    await tools.call('makima_ping', {});
    await tools.call('makima_ping', {});
    const [first, second, third] = server.calls;
    expect(first).toMatchObject({ authorization: 'Bearer k', toolUseId: 'mine' });
    expect(second?.toolUseId).not.toBe(third?.toolUseId);
  });

  it('rebuilds the error of the verb behind it', async () => {
    const server = await serve(refusals, how);
    const tools = createToolClient({ url: server.url });
    await expect(tools.call('makima_refuse', {})).rejects.toMatchObject({
      code: 'INVALID_TRANSITION',
      message: 'it is over',
      fix: 'look at it',
      details: { status: 'done', requestId: 'req-test' },
    });
  });
});

describe('a door with trouble', () => {
  it('is asked again under the same id while it cannot serve', async () => {
    let refused = 0;
    const server = await serve(
      { makima_ping: () => ({}) },
      {
        intercept: (_request, response) => {
          if (refused === 2) return false;
          refused += 1;
          const error = { code: -32_000, message: 'away', data: { retryable: true } };
          response.writeHead(200, { 'content-type': 'application/json' });
          response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error }));
          return true;
        },
      },
    );
    const told: string[] = [];
    const tools = createToolClient({
      url: server.url,
      onRetry: ({ error }) => told.push(error.code),
    });
    expect(await tools.call('makima_ping', {})).toEqual({});
    expect(told).toEqual(['DEPENDENCY_UNAVAILABLE', 'DEPENDENCY_UNAVAILABLE']);
  });

  it.each([
    [401, { error: 'this token opens nothing' }, 'UNAUTHENTICATED'],
    [404, { error: 'there is only /mcp here' }, 'NOT_FOUND'],
    [200, { hello: 'world' }, 'INTERNAL'],
    [200, { jsonrpc: '2.0', id: 1, result: {} }, 'INTERNAL'],
  ])('that answers %i %j is %s', async (status, body, code) => {
    const intercept: NonNullable<Parameters<typeof startToolServer>[1]>['intercept'] = (_, out) => {
      out.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      return true;
    };
    const server = await serve({}, { intercept });
    const tools = createToolClient({ url: server.url });
    await expect(tools.call('makima_ping', {})).rejects.toMatchObject({ code });
  });

  it('that does not know the tool, or finds its input wrong, says so', async () => {
    const server = await serve({});
    const tools = createToolClient({ url: server.url });
    await expect(tools.call('makima_nothing', {})).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      message: 'Tool makima_nothing not found',
    });
  });

  it('that is gone is unreachable', async () => {
    const server = await serve({});
    await server.close();
    const tools = createToolClient({ url: server.url });
    await expect(tools.call('makima_ping', {})).rejects.toMatchObject({
      code: 'DEPENDENCY_UNAVAILABLE',
    });
  });
});
