/**
 * Everything that takes an id, called with ids of somebody else: not found, exactly as an id that nobody
 * has, and nothing happens.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpointList } from '@makima/contracts/http/all';
import type { Endpoint } from '@makima/contracts/http/endpoint';
import { requestCheckpoint } from '@makima/engine/operation/request';
import { examples } from './openapi-examples.ts';
import { startTestApi, type TestApi } from './testing/test-api.ts';
import {
  ended,
  joinMachine,
  ownerOf,
  startedContract,
  startedDirective,
  strangerKey,
  type TestContract,
} from './testing/test-house.ts';

let api: TestApi;
let stranger: string;
let contract: TestContract;
let neighbour: TestContract;
/** Real ids of the first owner, by the beginning of the path that takes them. */
let ids: Record<string, string>;
let deliveryId: string;

beforeAll(async () => {
  api = await startTestApi();
  const machine = await joinMachine(api);
  contract = await startedContract(api, machine);
  neighbour = await startedContract(api, machine);
  const send = (method: string, path: string, key: string, body?: object) =>
    api.send(method, path, { key, body });
  const spawn = { name: 't', plan: 'p', contractId: contract.detail.id };
  const task = (await send('POST', '/api/v1/mesh/supervisor/tasks', contract.supervisorKey, spawn))
    .json.id;
  await machine.assign();
  const ask = { question: 'q?', nonBlocking: true };
  const question = (
    await send('POST', '/api/v1/mesh/supervisor/questions', contract.supervisorKey, ask)
  ).json;
  const message = (
    await send('POST', `/api/v1/mesh/tasks/${task}/message`, api.ownerKey, { message: 'm' })
  ).json;
  const caller = await ownerOf(api);
  const { result } = await requestCheckpoint(api.engine, { caller }, { id: task, message: 'm' });
  await machine.report(ended(task, 1, 'done'));
  const directive = await startedDirective(api, machine);
  const placed = { title: 'Tidy', orderType: 'chore' };
  const order = await send('POST', '/api/v1/mesh/supervisor/orders', directive.agentKey, placed);
  const key = (await send('POST', '/api/v1/keys', api.ownerKey, { name: 'k' })).json.info.id;
  const hook = await send('POST', '/api/v1/webhooks', api.ownerKey, {
    url: 'https://hooks.example.com/',
  });
  const hookPath = `/api/v1/webhooks/${hook.json.webhook.id}`;
  const test = await send('POST', `${hookPath}/test`, api.ownerKey);
  ids = {
    '/api/v1/contracts/': contract.detail.id,
    '/api/v1/mesh/supervisor/contracts/': contract.detail.id,
    '/api/v1/mesh/tasks/': task,
    '/api/v1/mesh/supervisor/tasks/': task,
    '/api/v1/mesh/questions/': question.questionId,
    '/api/v1/mesh/supervisor/questions/': question.questionId,
    '/api/v1/mesh/operations/': result.operationId,
    '/api/v1/mesh/messages/': message.messageId,
    '/api/v1/daemons/': machine.principal.daemonId,
    '/api/v1/keys/': key,
    '/api/v1/directives/': directive.detail.id,
    '/api/v1/orders/': order.json.id,
    '/api/v1/webhooks/': hook.json.webhook.id,
  };
  deliveryId = test.json.id;
  stranger = (await strangerKey(api.engine)).key;
});
afterAll(() => api.stop());

function pathWith(endpoint: Endpoint, id: string): string {
  return endpoint.path
    .replace('{id}', id)
    .replace('{repositoryId}', contract.detail.repositories[0]?.id ?? '')
    .replace('{deliverableId}', 'plan-document')
    .replace('{deliveryId}', deliveryId);
}

function foreignId(endpoint: Endpoint): string {
  const found = Object.entries(ids).find(([prefix]) => endpoint.path.startsWith(`${prefix}{id}`));
  if (found === undefined) throw new Error(`no id is known for ${endpoint.path}: add one`);
  return found[1];
}

async function eventCount(): Promise<number> {
  const [row] = await api.engine.database.sql<
    { n: number }[]
  >`select count(*)::int as n from events`;
  return row?.n ?? 0;
}

/** What an answer says, without what is different in every answer. */
function essence(answer: { status: number; text: string }, id: string): string {
  return `${answer.status} ${answer.text.replaceAll(id, '<id>').replace(/"requestId":"[^"]+"/, '')}`;
}

const withId = endpointList.filter((endpoint) => endpoint.path.includes('{id}'));

describe.each(withId.map((endpoint) => [endpoint.id, endpoint] as const))('%s', (_, endpoint) => {
  const options = (key: string) => ({
    key,
    body: endpoint.method === 'GET' ? undefined : (examples[endpoint.id] ?? undefined),
  });
  const query = endpoint.id === 'pollQuestion' ? '?waitSeconds=0' : '';
  const mayPeople = !('public' in endpoint.policy) && endpoint.policy.person !== 'none';

  it.runIf(mayPeople)('finds nothing of another owner', async () => {
    const before = await eventCount();
    const id = foreignId(endpoint);
    const foreign = await api.send(
      endpoint.method,
      pathWith(endpoint, id) + query,
      options(stranger),
    );
    const nobodys = randomUUID();
    const absent = await api.send(
      endpoint.method,
      pathWith(endpoint, nobodys) + query,
      options(stranger),
    );
    expect(foreign.status, foreign.text).toBe(404);
    expect(essence(foreign, id)).toBe(essence(absent, nobodys));
    expect(await eventCount()).toBe(before);
  });

  it('finds nothing of another contract, for its agents', async () => {
    const before = await eventCount();
    const id = foreignId(endpoint);
    const answer = await api.send(
      endpoint.method,
      pathWith(endpoint, id) + query,
      options(neighbour.supervisorKey),
    );
    const mayAgents = !('public' in endpoint.policy) && endpoint.policy.tool !== 'none';
    expect(answer.status, answer.text).toBe(mayAgents ? 404 : 403);
    expect(await eventCount()).toBe(before);
  });
});

describe('ids in a body', () => {
  it('of somebody else are not found either', async () => {
    const taskIds = [ids['/api/v1/mesh/tasks/'] ?? ''];
    const spawn = { name: 't', plan: 'p', contractId: contract.detail.id };
    for (const key of [stranger, neighbour.supervisorKey]) {
      const spawned = await api.send('POST', '/api/v1/mesh/supervisor/tasks', { key, body: spawn });
      expect(spawned.status).toBe(404);
      const waited = await api.send('POST', '/api/v1/mesh/supervisor/waits', {
        key,
        body: { taskIds, timeoutSeconds: 0 },
      });
      expect(waited.status, waited.text).toBe(404);
    }
    const needs = { ...spawn, contractId: neighbour.detail.id, needs: taskIds };
    expect(
      (
        await api.send('POST', '/api/v1/mesh/supervisor/tasks', {
          key: neighbour.supervisorKey,
          body: needs,
        })
      ).status,
    ).toBe(404);
  });

  it('of somebody else filter a list down to nothing', async () => {
    for (const path of [
      '/api/v1/contracts',
      '/api/v1/mesh/questions',
      '/api/v1/events',
      '/api/v1/daemons',
      '/api/v1/inbox',
      '/api/v1/directives',
      '/api/v1/orders',
    ]) {
      const { json } = await api.send('GET', path, { key: stranger });
      expect(json.items, path).toEqual([]);
    }
    const { json } = await api.send(
      'GET',
      `/api/v1/mesh/questions?contractId=${contract.detail.id}`,
      { key: stranger },
    );
    expect(json.items).toEqual([]);
  });
});
