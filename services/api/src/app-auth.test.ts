/** Keys that were good and are no more, keys that never were, and how often one may ask. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { open, startTestApi, type TestApi } from './testing/test-api.ts';
import { joinMachine, personKey, startedContract } from './testing/test-house.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

const whoami = '/api/v1/whoami';

describe('a revoked key', () => {
  it('opens nothing from then on, and its streams end', async () => {
    const made = await api.send('POST', '/api/v1/keys', {
      key: api.ownerKey,
      body: { name: 'short-lived' },
    });
    expect(made.status).toBe(201);
    const { key, info } = made.json;
    expect((await api.send('GET', whoami, { key })).json).toMatchObject({
      kind: 'person',
      scopes: ['read', 'write'],
    });
    const stream = await open(api.port, 'GET', '/api/v1/events?after=now', {
      key,
      headers: { accept: 'text/event-stream' },
    });
    const ended = new Promise<string>((resolve) => {
      let text = '';
      stream.on('data', (part: Buffer) => (text += part.toString()));
      stream.on('end', () => resolve(text));
    });
    expect(
      (await api.send('DELETE', `/api/v1/keys/${info.id}`, { key: api.ownerKey })).status,
    ).toBe(200);
    expect((await api.send('GET', whoami, { key })).status).toBe(401);
    expect(await ended).toContain('event: unauthenticated');
  });

  it('is forgotten too when another process revoked it', async () => {
    const key = await personKey(api.engine, {
      ownerId: api.ownerId,
      role: 'member',
      scopes: ['read'],
    });
    expect((await api.send('GET', whoami, { key })).status).toBe(200);
    await api.engine.database
      .sql`update keys set revoked_at = clock() where hash = encode(sha256(${key}::bytea), 'hex')`;
    expect((await api.send('GET', whoami, { key })).status).toBe(200);
    const forgotten = new Promise<void>((resolve) => void api.auth.onRevoked(resolve));
    api.pubsubOfAnother.publish([{ channel: 'mk1:key-revoked', body: '' }]);
    await forgotten;
    expect((await api.send('GET', whoami, { key })).status).toBe(401);
  });
});

describe('a tool key', () => {
  it('knows its contract and task, and dies with its attempt', async () => {
    const machine = await joinMachine(api);
    const { detail, supervisorTaskId, supervisorKey } = await startedContract(api, machine);
    expect((await api.send('GET', whoami, { key: supervisorKey })).json).toMatchObject({
      kind: 'agent',
      contractId: detail.id,
      taskId: supervisorTaskId,
      scopes: ['supervisor'],
    });
    const other = await startedContract(api, machine);
    const foreign = await api.send('GET', `/api/v1/contracts/${other.detail.id}`, {
      key: supervisorKey,
    });
    expect(foreign).toMatchObject({ status: 404, json: { code: 'CONTRACT_NOT_FOUND' } });
    await api.engine.database
      .sql`update tasks set current_attempt = 2 where id = ${supervisorTaskId}`;
    api.auth.forget();
    expect((await api.send('GET', whoami, { key: supervisorKey })).status).toBe(401);
  });
});

it('wrong keys are counted by address, and never shut a good one out', async () => {
  const fresh = await startTestApi();
  try {
    const wrong = `mk_user_${'0'.repeat(32)}_${'a'.repeat(38)}`;
    const statuses: number[] = [];
    for (let i = 0; i < 10; i++)
      statuses.push((await fresh.send('GET', whoami, { key: wrong })).status);
    expect(statuses).toEqual(Array.from({ length: 10 }, () => 401));
    const headers = { 'x-forwarded-for': '203.0.113.7' };
    const refused = await fresh.send('GET', whoami, { key: wrong, headers });
    expect(refused).toMatchObject({ status: 429, json: { code: 'RATE_LIMITED', retryable: true } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await fresh.send('GET', whoami, { key: fresh.ownerKey })).status).toBe(200);
    expect((await fresh.send('GET', whoami)).status).toBe(401);
    const body = { token: 'mk_join_x', name: 'm', host: 'h' };
    expect((await fresh.send('POST', '/api/v1/daemons/enrol', { body })).status).toBe(429);
    expect((await fresh.send('POST', '/admin/session', { body: { key: wrong } })).status).toBe(429);
  } finally {
    await fresh.stop();
  }
});

it('a key counts its requests down and is told when it may go on', async () => {
  const small = await startTestApi({ limits: { requestsPerKeyPerMinuteMax: 3 } });
  try {
    const key = small.ownerKey;
    const left = [];
    for (let i = 0; i < 3; i++) {
      const { headers } = await small.send('GET', whoami, { key });
      left.push(headers['ratelimit']);
      expect(headers['ratelimit-policy']).toBe('"key";q=3;w=60');
    }
    expect(left.map((each) => /r=(\d+)/.exec(String(each))?.[1])).toEqual(['2', '1', '0']);
    const refused = await small.send('GET', whoami, { key });
    expect(refused).toMatchObject({ status: 429, json: { code: 'RATE_LIMITED' } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(50);
    expect((await small.send('POST', '/mcp', { key, body: {} })).status).toBe(429);
    const other = await personKey(small.engine, {
      ownerId: small.ownerId,
      role: 'member',
      scopes: ['read'],
    });
    expect((await small.send('GET', whoami, { key: other })).status).toBe(200);
  } finally {
    await small.stop();
  }
});
