/**
 * A walk over every route with every kind of credential: each answers what its policy says, and no route
 * exists that has neither a description nor a place in the short list of those that need none.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpointList } from '@makima/contracts/http/all';
import type { Endpoint, Policy } from '@makima/contracts/http/endpoint';
import { spawnTask } from '@makima/engine/task/spawn';
import { zSpawnInput } from '@makima/contracts/entity/task';
import { buildApp, isPublic } from './app.ts';
import { routerPath } from './mount.ts';
import { undescribedRoutes } from './nearest-route.ts';
import { startTestApi, type TestApi } from './testing/test-api.ts';
import {
  joinMachine,
  ownerOf,
  personKey,
  startedContract,
  startedDirective,
} from './testing/test-house.ts';

let api: TestApi;
/** Keys by kind, and what each is for the expectation. */
const keys: Record<string, string> = {};

beforeAll(async () => {
  api = await startTestApi();
  const { engine, ownerId } = api;
  const machine = await joinMachine(api);
  const { detail, supervisorTaskId, supervisorKey } = await startedContract(api, machine);
  const caller = await ownerOf(api);
  const input = zSpawnInput.parse({
    name: 't',
    plan: 'p',
    contractId: detail.id,
    parentTaskId: supervisorTaskId,
  });
  const { result: task } = await spawnTask(engine, { caller }, input);
  await machine.assign();
  Object.assign(keys, {
    owner: api.ownerKey,
    'owner without the scope': await personKey(engine, {
      ownerId,
      role: 'owner',
      scopes: ['read', 'write'],
    }),
    member: await personKey(engine, {
      ownerId,
      role: 'member',
      scopes: ['read', 'write', 'owner'],
    }),
    reader: await personKey(engine, { ownerId, role: 'member', scopes: ['read'] }),
    viewer: await personKey(engine, {
      ownerId,
      role: 'viewer',
      scopes: ['read', 'write', 'owner'],
    }),
    supervisor: supervisorKey,
    directive: (await startedDirective(api, machine)).agentKey,
    task: await machine.toolKey({ taskId: task.id, attempt: 1 }),
    daemon: machine.key,
  });
});
afterAll(() => api.stop());

/** Written down once more, on purpose, not by the code under test. */
function mayCall(policy: Policy, kind: string): boolean {
  if ('public' in policy) return true;
  const people: Record<string, string[]> = {
    owner: ['read', 'write', 'owner'],
    'owner without the scope': ['read', 'write'],
    member: ['read', 'write'],
    reader: ['read'],
    viewer: ['read'],
  };
  if (kind in people) return people[kind]?.includes(policy.person) ?? false;
  if (kind === 'supervisor') return policy.tool !== 'none';
  if (kind === 'directive') return policy.tool === 'lead' || policy.tool === 'task';
  if (kind === 'task') return policy.tool === 'task';
  return policy.daemon;
}

const somewhere = (endpoint: Endpoint): string =>
  endpoint.path.replaceAll(/\{\w+\}/g, () => randomUUID());
const hasBody = (method: string): boolean => method !== 'GET' && method !== 'DELETE';

describe.each(
  endpointList.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint] as const),
)('%s', (_, endpoint) => {
  it('is refused without a key, whatever the method', async () => {
    const path = somewhere(endpoint);
    const open = 'public' in endpoint.policy;
    const answer = await api.send(endpoint.method, path, {
      body: hasBody(endpoint.method) ? {} : undefined,
    });
    if (open) expect(answer.status).not.toBe(401);
    else expect(answer).toMatchObject({ status: 401, json: { code: 'UNAUTHENTICATED' } });
    for (const method of ['OPTIONS', 'TRACE', 'PROPFIND']) {
      expect((await api.send(method, path)).status, method).toBe(401);
    }
    if (!open && endpoint.method === 'GET') expect((await api.send('HEAD', path)).status).toBe(401);
  });

  it('answers each kind of key what its policy says', async () => {
    for (const [kind, key] of Object.entries(keys)) {
      const answer = await api.send(endpoint.method, somewhere(endpoint), {
        key,
        body: hasBody(endpoint.method) ? {} : undefined,
      });
      if (mayCall(endpoint.policy, kind)) {
        expect([401, 403, 500], `${kind}: ${answer.text}`).not.toContain(answer.status);
      } else {
        expect(answer.status, kind).toBe(403);
        expect(['FORBIDDEN', 'NOT_SUPERVISOR'], kind).toContain(answer.json.code);
        expect(answer.json.fix, kind).toBeTruthy();
        expect(answer.headers['content-type']).toBe('application/problem+json');
      }
    }
  });
});

it('what was refused stands in the audit', async () => {
  const { sql } = api.engine.database;
  const refused = () => sql<{ action: string; kind: string }[]>`
    select distinct action, actor->>'kind' as kind from audit where outcome = 'refused'`;
  await expect
    .poll(async () => (await refused()).map((row) => `${row.kind} ${row.action}`))
    .toEqual(
      expect.arrayContaining([
        'agent createKey',
        'agent answerQuestion',
        'agent deleteContract',
        'agent spawnTask',
        'agent createEnrolment',
        'daemon listContracts',
        'person createKey',
      ]),
    );
});

describe('the routes that are mounted', () => {
  it('are described, or stand in the list of those that are not', () => {
    const known = new Set(
      [...endpointList, ...undescribedRoutes].map(
        ({ method, path }) => `${method} ${routerPath(path)}`,
      ),
    );
    const strays = buildApp(api.api)
      .routes.filter(({ method, path }) => {
        const isMiddleware =
          method === 'ALL' && ['/*', '/admin/queues', '/admin/queues/*'].includes(path);
        return (
          !isMiddleware && !path.startsWith('/admin/queues') && !known.has(`${method} ${path}`)
        );
      })
      .map(({ method, path }) => `${method} ${path}`);
    expect(strays).toEqual([]);
  });

  it('are open without a key only where that was decided', () => {
    const open = [...endpointList, ...undescribedRoutes]
      .filter(({ method, path }) => isPublic(method, path.replace('{file}', 'x.css')))
      .map(({ method, path }) => `${method} ${path}`);
    expect(open.toSorted()).toEqual([
      'DELETE /admin/session',
      'GET /admin',
      'GET /livez',
      'GET /metrics',
      'GET /openapi.json',
      'GET /readyz',
      'GET /reference',
      'GET /reference/problems',
      'GET /reference/{file}',
      'POST /admin/session',
      'POST /api/v1/daemons/enrol',
    ]);
  });

  it.each([
    '/',
    '/admin/queues',
    '/admin/queues/',
    '/admin/queues/api/queues',
    '/admin/queues/static/x.js',
    '/Admin/queues',
    '/ADMIN/QUEUES',
    '/admin/session/x',
    '/mcp',
    '/api',
    '/api/v1/CONTRACTS',
    '/bull-board',
    '/.env',
  ])('%s needs a key', async (path) => {
    expect((await api.send('GET', path)).status).toBe(401);
    expect((await api.send('POST', path, { body: {} })).status).toBe(401);
  });

  it.each([
    '//admin/queues',
    '/admin%2Fqueues',
    '/%61dmin/queues',
    '/./admin/queues',
    '/livez/../admin/queues',
    '/admin;/queues',
    '/reference/..%2f..%2fpackage.json',
    '/reference/%2e%2e/main.ts',
  ])('%s is no way in, with or without a key', async (path) => {
    expect((await api.send('GET', path)).status).toBe(404);
    const withKey = await api.send('GET', path, { key: api.ownerKey });
    expect(withKey.status).toBe(404);
    expect(withKey.text).not.toContain('swagger');
  });
});

it('a credential that is refused at one door again and again is noted once', async () => {
  const made = await api.send('POST', '/api/v1/keys', {
    key: api.ownerKey,
    body: { name: 'knocks', scopes: ['read'] },
  });
  const knock = (path: string) =>
    api.send('POST', path, { key: made.json.key, body: { name: 'x', expiresInSeconds: 60 } });
  for (let i = 0; i < 5; i += 1) expect((await knock('/api/v1/keys')).status).toBe(403);
  const { sql } = api.engine.database;
  const notes = async () =>
    (
      await sql<{ n: number }[]>`
        select count(*)::int as n from audit where outcome = 'refused' and key_id = ${made.json.info.id}`
    )[0]?.n;
  await expect.poll(notes).toBe(1);
  for (let i = 0; i < 5; i += 1) await knock('/api/v1/keys');
  expect(await notes()).toBe(1);
});
