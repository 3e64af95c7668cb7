/** Directives and orders by HTTP and as tools: who is held how long, and one order from an agent to a contract. */
import { randomUUID } from 'node:crypto';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './testing/test-api.ts';
import {
  joinMachine,
  startedContract,
  startedDirective,
  type TestDirective,
  type TestMachine,
} from './testing/test-house.ts';

let api: TestApi;
let machine: TestMachine;
beforeAll(async () => {
  api = await startTestApi({ limits: { questionAutoHoldMs: 1 } });
  machine = await joinMachine(api);
});
afterAll(() => api.stop());

const clients: Client[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
});

async function connected(key: string): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  clients.push(client);
  const requestInit = { headers: { authorization: `Bearer ${key}` } };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${api.url}/mcp`), { requestInit }),
  );
  return client;
}

async function call(
  client: Client,
  name: string,
  args: Record<string, unknown>,
  id = randomUUID(),
) {
  const _meta = { 'claudecode/toolUseId': id };
  const result = await client.callTool({ name, arguments: args, _meta });
  const [first] = result.content as { text: string }[];
  return { text: first?.text ?? '', value: result.structuredContent as any };
}

const held = (count: number) => expect.poll(() => api.api.holds.size, { interval: 5 }).toBe(count);
const asksOf = ({ agentKey }: TestDirective) =>
  api.send('POST', '/api/v1/mesh/supervisor/questions', {
    key: agentKey,
    body: { question: 'Is this dead code?' },
  });
const openQuestion = async (taskId: string): Promise<string> => {
  const { json } = await api.send('GET', '/api/v1/mesh/questions?limit=200', { key: api.ownerKey });
  return json.items.find((question: { taskId: string }) => question.taskId === taskId).id;
};
const answer = (id: string, response: string) =>
  api.send('POST', `/api/v1/mesh/questions/${id}/answer`, {
    key: api.ownerKey,
    body: { response },
  });

describe('a question of an agent of a directive', () => {
  it('in auto times out soon, and stays open until somebody answers', async () => {
    const directive = await startedDirective(api, machine);
    const late = await asksOf(directive);
    expect(late).toMatchObject({
      status: 408,
      json: { code: 'WAIT_TIMED_OUT', details: { timedOut: true, stillPending: false } },
    });
    expect(await openQuestion(directive.taskId)).toBe(late.json.details.questionId);
    const tool = await call(await connected(directive.agentKey), 'makima_ask', {
      question: 'And?',
    });
    expect(tool.value).toMatchObject({ stillPending: false, timedOut: true, response: null });
    expect(tool.value.note).toContain('Decide by yourself');
  });

  it.each(['semi-auto', 'manual'])(
    'in %s is held until somebody answers',
    async (reconcileMode) => {
      const directive = await startedDirective(api, machine, { reconcileMode });
      const asking = asksOf(directive);
      await held(1);
      const id = await openQuestion(directive.taskId);
      const poll = `/api/v1/mesh/supervisor/questions/${id}/poll?waitSeconds=0`;
      expect((await api.send('GET', poll, { key: directive.agentKey })).json).toMatchObject({
        stillPending: true,
      });
      expect((await answer(id, 'yes')).status).toBe(200);
      expect(await asking).toMatchObject({
        status: 200,
        json: { response: 'yes', timedOut: false },
      });
      const client = await connected(directive.agentKey);
      const again = call(client, 'makima_ask', { question: 'And this?' });
      await held(1);
      await answer(await openQuestion(directive.taskId), 'no');
      expect((await again).value).toMatchObject({ stillPending: false, response: 'no' });
    },
  );
});

describe('an order', () => {
  it('goes from an agent to a contract, once', async () => {
    const directive = await startedDirective(api, machine);
    const client = await connected(directive.agentKey);
    expect((await client.listTools()).tools.map((tool) => tool.name).toSorted()).toEqual([
      'makima_ask',
      'makima_checkpoint',
      'makima_checkpoints',
      'makima_order',
      'makima_poll',
      'makima_status',
    ]);
    const args = { title: 'Drop the old parser', orderType: 'chore', labels: ['tidy'] };
    const id = randomUUID();
    const [first, second] = [
      await call(client, 'makima_order', args, id),
      await call(client, 'makima_order', args, id),
    ];
    expect(first.value).toMatchObject({ title: args.title, status: 'open' });
    expect(second.value.orderId).toBe(first.value.orderId);
    const wrong = await call(client, 'makima_order', { ...args, orderType: 'feature' });
    expect(wrong.text).toMatch(/^INVALID_ORDER_TYPE: /);
    const { json } = await api.send('GET', '/api/v1/orders?status=open&label=tidy', {
      key: api.ownerKey,
    });
    expect(json.items.map((order: { id: string }) => order.id)).toEqual([first.value.orderId]);
    const accept = () =>
      api.send('POST', `/api/v1/orders/${first.value.orderId}/accept`, {
        key: api.ownerKey,
        body: {},
      });
    const accepted = await accept();
    expect(accepted).toMatchObject({ status: 200, json: { contract: { name: args.title } } });
    expect((await accept()).json.contract.id).toBe(accepted.json.contract.id);
  });

  it('of a wrong type, or of a contract without a directive, is a clear no', async () => {
    const directive = await startedDirective(api, machine);
    const contract = await startedContract(api, machine);
    const place = (key: string, body: object) =>
      api.send('POST', '/api/v1/mesh/supervisor/orders', { key, body });
    expect(await place(directive.agentKey, { title: 't', orderType: 'bug' })).toMatchObject({
      status: 400,
      json: { code: 'INVALID_ORDER_TYPE' },
    });
    expect(await place(contract.supervisorKey, { title: 't' })).toMatchObject({
      status: 400,
      json: { code: 'NO_DIRECTIVE' },
    });
    expect(await place(directive.agentKey, { title: 't' })).toMatchObject({
      status: 201,
      json: { orderType: 'spike', priority: 'medium', status: 'open' },
    });
  });

  it('is dismissed with a reason, and only with one', async () => {
    const { agentKey } = await startedDirective(api, machine);
    const placed = await api.send('POST', '/api/v1/mesh/supervisor/orders', {
      key: agentKey,
      body: { title: 't' },
    });
    const dismiss = (body: object) =>
      api.send('POST', `/api/v1/orders/${placed.json.id}/dismiss`, { key: api.ownerKey, body });
    expect((await dismiss({})).status).toBe(400);
    expect((await dismiss({ reason: 'no' })).json).toMatchObject({
      status: 'dismissed',
      dismissedReason: 'no',
    });
  });
});
