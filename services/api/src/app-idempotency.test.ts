/** The same key and body: one effect and one answer, however often and however much at once. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './testing/test-api.ts';
import { joinMachine, startedContract, type TestContract } from './testing/test-house.ts';

let api: TestApi;
let contract: TestContract;
beforeAll(async () => {
  api = await startTestApi();
  contract = await startedContract(api, await joinMachine(api));
});
afterAll(() => api.stop());

const contracts = '/api/v1/contracts';
const spawnPath = '/api/v1/mesh/supervisor/tasks';

function create(key: string, name: string) {
  const body = { name, description: 'd', start: false, repositories: [{ localPath: '/nowhere' }] };
  return api.send('POST', contracts, {
    key: api.ownerKey,
    body,
    headers: { 'idempotency-key': key },
  });
}

async function countContracts(name: string): Promise<number> {
  const [row] = await api.engine.database.sql<
    { n: number }[]
  >`select count(*)::int as n from contracts where name = ${name}`;
  return row?.n ?? 0;
}

describe('an Idempotency-Key', () => {
  it('makes one contract of twenty requests at once, and tells them all the same', async () => {
    const [key, name] = [randomUUID(), randomUUID()];
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(key, name)));
    const done = answers.filter((answer) => answer.status === 201);
    // Those that waited too long for the first are told to come again; none is refused or doubled.
    for (const other of answers) {
      expect([201, 409, 503]).toContain(other.status);
      if (other.status === 409) expect(other.json.code).toBe('IDEMPOTENCY_IN_FLIGHT');
    }
    expect(done.length).toBeGreaterThan(0);
    expect(new Set(done.map((answer) => answer.json.id)).size).toBe(1);
    expect(
      done.filter((answer) => answer.headers['idempotent-replayed'] === undefined).length,
    ).toBe(1);
    expect(await countContracts(name)).toBe(1);
    const later = await create(key, name);
    expect(later).toMatchObject({ status: 201, json: { id: done[0]?.json.id } });
    expect(later.headers['idempotent-replayed']).toBe('true');
  });

  it('with another body is refused and does nothing', async () => {
    const [key, name, other] = [randomUUID(), randomUUID(), randomUUID()];
    expect((await create(key, name)).status).toBe(201);
    expect(await create(key, other)).toMatchObject({
      status: 422,
      json: { code: 'IDEMPOTENCY_MISMATCH' },
    });
    expect(await countContracts(other)).toBe(0);
  });

  it('does not count how a body is written', async () => {
    const [key, name] = [randomUUID(), randomUUID()];
    const write = (raw: string) =>
      api.send('POST', contracts, { key: api.ownerKey, raw, headers: { 'idempotency-key': key } });
    const first = await write(`{"name":"${name}","description":"d","start":false}`);
    expect(first.status).toBe(201);
    const second = await write(`{ "start": false, "description": "d",\n "name": "${name}" }`);
    expect(second).toMatchObject({ status: 201, json: { id: first.json.id } });
  });

  it('that failed may be used again', async () => {
    const key = randomUUID();
    const body = { name: 't', plan: 'p', contractId: randomUUID() };
    const headers = { 'idempotency-key': key };
    expect((await api.send('POST', spawnPath, { key: api.ownerKey, body, headers })).status).toBe(
      404,
    );
    const right = { ...body, contractId: contract.detail.id };
    expect(
      (await api.send('POST', spawnPath, { key: api.ownerKey, body: right, headers })).status,
    ).toBe(201);
  });

  it('is 1 to 200 printable characters', async () => {
    for (const bad of ['', 'a b', 'ä', 'x'.repeat(201)]) {
      const answer = await create(bad, randomUUID());
      expect(answer, bad).toMatchObject({ status: 400, json: { code: 'VALIDATION_FAILED' } });
      expect(answer.json.errors[0].pointer).toBe('/headers/idempotency-key');
    }
  });

  it('opens no stored answer to another credential of the same owner', async () => {
    const [key, name] = [randomUUID(), randomUUID()];
    expect((await create(key, name)).status).toBe(201);
    const made = await api.send('POST', '/api/v1/keys', {
      key: api.ownerKey,
      body: { name: 'reader', scopes: ['read'] },
    });
    const body = {
      name,
      description: 'd',
      start: false,
      repositories: [{ localPath: '/nowhere' }],
    };
    const send = (bearer: string) =>
      api.send('POST', contracts, { key: bearer, body, headers: { 'idempotency-key': key } });
    expect((await send(made.json.key)).status).toBe(403);
    const writer = await api.send('POST', '/api/v1/keys', {
      key: api.ownerKey,
      body: { name: 'writer', scopes: ['read', 'write'] },
    });
    const answer = await send(writer.json.key);
    expect(answer.headers['idempotent-replayed']).toBeUndefined();
    expect(await countContracts(name)).toBe(2);
  });

  it('of an agent is another than that of a person', async () => {
    const key = randomUUID();
    const body = { name: 't', plan: 'p', contractId: contract.detail.id };
    const spawn = (bearer: string, header: string) =>
      api.send('POST', spawnPath, { key: bearer, body, headers: { [header]: key } });
    const ids = [
      (await spawn(api.ownerKey, 'idempotency-key')).json.id,
      (await spawn(contract.supervisorKey, 'idempotency-key')).json.id,
      (await spawn(contract.supervisorKey, 'makima-tool-use')).json.id,
    ];
    expect(new Set(ids).size).toBe(3);
    expect((await spawn(contract.supervisorKey, 'makima-tool-use')).json.id).toBe(ids[2]);
    // For a person the header of agents is no key at all.
    expect((await spawn(api.ownerKey, 'makima-tool-use')).json.id).not.toBe(ids[2]);
    const [row] = await api.engine.database.sql<{ expiresAt: Date | null }[]>`
      select expires_at from idempotency_keys where key = ${`tool:${contract.supervisorTaskId}:${key}`}`;
    expect(row?.expiresAt).toBeNull();
  });
});
