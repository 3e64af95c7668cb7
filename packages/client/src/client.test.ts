/** Typed calls, rebuilt errors, retries only where they are safe. */
import { afterEach, describe, expect, it } from 'vitest';
import { isMakimaError, MakimaError } from '@makima/domain/error';
import { createClient, type Client, type ClientOptions } from './client.ts';
import {
  startDescribedServer,
  type DescribedServer,
  type DescribedServerOptions,
  type Handlers,
} from './testing/described-server.ts';
import { sampleContract, sampleDetail, sampleId } from './testing/samples.ts';

let server: DescribedServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function connect(
  handlers: Handlers,
  options: DescribedServerOptions = {},
  clientOptions: Partial<ClientOptions> = {},
): Promise<Client> {
  server = await startDescribedServer(handlers, options);
  return createClient({ baseUrl: `${server.url}/`, ...clientOptions });
}

async function errorOf(promise: Promise<unknown>): Promise<MakimaError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isMakimaError(error)) throw new Error(`expected a MakimaError, got ${String(error)}`);
  return error;
}

const id = sampleId('contract', 1);

describe('a call', () => {
  it('sends path, query, body and key, and gives back the described answer', async () => {
    const client = await connect(
      {
        listContracts: ({ query }) => ({
          items: [sampleContract(1, { phase: query.phase ?? '' })],
          nextCursor: query.waiting === true ? 'next' : null,
        }),
        changePhase: ({ params, body }) => ({
          success: true,
          contractId: params.id,
          previousPhase: 'plan',
          phase: body.phase,
          version: (body.expectedVersion ?? 0) + 1,
        }),
      },
      { key: 'secret' },
      { key: 'secret' },
    );
    const page = await client.call('listContracts', { query: { waiting: true, phase: 'a b&c' } });
    expect([page.items[0]?.phase, page.nextCursor]).toEqual(['a b&c', 'next']);
    const moved = await client.call('changePhase', {
      params: { id },
      body: { phase: 'execute', expectedVersion: 3 },
    });
    expect(moved).toMatchObject({ contractId: id, phase: 'execute', version: 4 });
  });

  it('is typed by the description', () => {
    const client = createClient({ baseUrl: 'http://127.0.0.1:9' });
    const calls = [
      // @ts-expect-error an id is needed
      () => client.call('getContract'),
      // @ts-expect-error a body is needed
      () => client.call('changePhase', { params: { id } }),
      // @ts-expect-error a phase is text
      () => client.call('changePhase', { params: { id }, body: { phase: 1 } }),
      // @ts-expect-error takes no query
      () => client.call('inbox', { query: { limit: 1 } }),
      // @ts-expect-error no such endpoint
      () => client.call('launchRocket'),
      () => client.call('inbox'),
      () => client.call('listDaemons', { timeoutMs: 1 }),
      () => client.call('createEnrolment'),
    ];
    expect(calls).toHaveLength(8);
  });

  it('rebuilds the error that the server meant', async () => {
    const client = await connect({
      getContract: () => {
        throw new MakimaError('CONTRACT_NOT_FOUND', 'no such contract', {
          fix: 'makima contracts list',
          details: { near: 'x' },
        });
      },
    });
    const error = await errorOf(client.call('getContract', { params: { id } }));
    expect(error.code).toBe('CONTRACT_NOT_FOUND');
    expect(error.fix).toBe('makima contracts list');
    expect(error.details).toEqual({ near: 'x', requestId: 'req-test' });
  });

  it('accepts keys that it does not know, even in strict places', async () => {
    const agent = { kind: 'claude', version: '2', tested: true, available: true };
    const daemon = {
      id,
      name: 'laptop',
      host: null,
      version: null,
      status: 'connected',
      sessionEpoch: 1,
      currentTaskCount: 0,
      maxConcurrentTasks: 2,
      agents: [{ ...agent, signedIn: null, note: null, colour: 'red' }],
      limits: [],
      connectedAt: null,
      lastSeenAt: null,
      moon: 'full',
    };
    const client = await connect(
      {},
      {
        intercept: (_, response) => {
          response.end(JSON.stringify({ items: [daemon], more: 1 }));
          return true;
        },
      },
    );
    const { items } = await client.call('listDaemons');
    expect(items[0]?.agents[0]).toEqual({ ...agent, signedIn: null, note: null });
    expect(items[0]).not.toHaveProperty('moon');
  });

  it('says when the answer is not what was described, or not makima at all', async () => {
    const bodies = ['{"items": 7}', '<html>'];
    const client = await connect(
      {},
      {
        intercept: (_, response) => {
          response.end(bodies.shift());
          return true;
        },
      },
    );
    expect((await errorOf(client.call('inbox'))).details).toMatchObject({
      errors: [{ pointer: '/items' }],
    });
    expect((await errorOf(client.call('inbox'))).message).toContain("does not speak makima's API");
  });

  it.each([
    [302, 'MISDIRECTED_REQUEST'],
    [401, 'UNAUTHENTICATED'],
    [404, 'NOT_FOUND'],
    [502, 'DEPENDENCY_UNAVAILABLE'],
    [599, 'INTERNAL'],
  ])('gives a bare %i the code %s', async (status, code) => {
    const client = await connect(
      {},
      {
        intercept: (_, response) => {
          response.writeHead(status, { location: '/there' }).end('gone');
          return true;
        },
      },
      { tries: 1 },
    );
    expect((await errorOf(client.call('inbox'))).code).toBe(code);
  });
});

describe('trying again', () => {
  it('names the address of a server that is not there, and the fix', async () => {
    const client = await connect({});
    const { url } = server as DescribedServer;
    await server?.close();
    const notes: number[] = [];
    const patient = createClient({
      baseUrl: url,
      tries: 3,
      onRetry: (note) => notes.push(note.attempt),
    });
    const error = await errorOf(patient.call('inbox'));
    expect(error).toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE', fix: './makima up' });
    expect(error.message).toBe(`cannot reach ${url}: connection refused`);
    expect(notes).toEqual([1, 2]);
    expect(client.baseUrl).toBe(url);
  });

  it('repeats a keyed post under one key when the connection dies', async () => {
    const keys: unknown[] = [];
    const client = await connect(
      { createContract: () => sampleDetail(1) },
      {
        intercept: (request) => {
          keys.push(request.headers['idempotency-key']);
          if (keys.length > 2) return false;
          request.socket.destroy();
          return true;
        },
      },
    );
    await client.call('createContract', { body: { name: 'n', description: 'd' } });
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('sends a post without a key once', async () => {
    let tries = 0;
    const client = await connect(
      {},
      {
        intercept: (request) => {
          tries += 1;
          request.socket.destroy();
          return true;
        },
      },
    );
    const error = await errorOf(client.call('startContract', { params: { id } }));
    expect([error.code, tries]).toEqual(['DEPENDENCY_UNAVAILABLE', 1]);
  });

  it('waits as long as Retry-After says', async () => {
    let tries = 0;
    const notes: number[] = [];
    const client = await connect(
      { inbox: () => ({ items: [] }) },
      {
        intercept: (_, response) => {
          tries += 1;
          if (tries > 1) return false;
          response.writeHead(429, { 'retry-after': '1' }).end();
          return true;
        },
      },
      { onRetry: (note) => notes.push(note.delayMs) },
    );
    await client.call('inbox');
    expect(notes[0]).toBeGreaterThanOrEqual(1_000);
  });

  it("ends with the caller's own reason when the caller aborts", async () => {
    const client = await connect({}, { intercept: () => true });
    const stop = new AbortController();
    const call = client.call('inbox', { signal: stop.signal });
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(call).rejects.toBe(reason);
  });

  it('gives up a try that takes too long', async () => {
    const client = await connect({}, { intercept: () => true }, { tries: 1 });
    const error = await errorOf(client.call('inbox', { timeoutMs: 50 }));
    expect(error.message).toContain('no answer in 0.05 s');
  });
});
