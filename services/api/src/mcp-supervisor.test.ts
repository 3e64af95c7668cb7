/** What a supervisor does about its tasks and its contract: the same by HTTP and as tools. */
import { randomUUID } from 'node:crypto';
import type { Client } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callTool, connectMcp } from './testing/mcp.ts';
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
let client: Client;
beforeAll(async () => {
  api = await startTestApi();
  machine = await joinMachine(api);
  contract = await startedContract(api, machine);
  client = await connectMcp(api.url, contract.supervisorKey);
});
afterAll(async () => {
  await client.close();
  await api.stop();
});

const mesh = '/api/v1/mesh';
const call = (name: string, args: object = {}, id?: string) => callTool(client, name, args, id);
const http = (method: string, path: string, body?: object) =>
  api.send(method, path, { key: contract.supervisorKey, ...(body === undefined ? {} : { body }) });
const held = (count: number) => expect.poll(() => api.api.holds.size, { interval: 5 }).toBe(count);

async function spawned(): Promise<string> {
  const { value } = await call('makima_spawn', { name: 't', plan: 'p' });
  await machine.assign();
  return value.taskId;
}

const received = (taskId: string, messageId: string, state: 'queued' | 'delivered' | 'refused') =>
  machine.report({ kind: 'message.received', taskId, attempt: 1, messageId, state });

describe('a message', () => {
  it('is answered with its receipt as soon as it is read', async () => {
    const taskId = await spawned();
    const sending = call('makima_message', { taskId, text: 'now', mode: 'interrupt' });
    await held(1);
    const [command] = (await machine.commands()).filter(({ kind }) => kind === 'task.message');
    const { message } = command as { message: { id: string; mode: string } };
    expect(message.mode).toBe('interrupt');
    await received(taskId, message.id, 'queued');
    await received(taskId, message.id, 'delivered');
    const receipt = { messageId: message.id, taskId, state: 'delivered', attempt: 1 };
    expect((await sending).value).toEqual(receipt);
    const { value } = await call('makima_message', { taskId, messageId: message.id });
    expect(value).toEqual(receipt);
    const read = await http('GET', `${mesh}/messages/${message.id}`);
    expect(read).toMatchObject({ status: 200, json: { ...receipt, mode: 'interrupt' } });
  });

  it('that waits says so, and can be looked at later, until nobody will read it', async () => {
    const taskId = await spawned();
    const { value } = await call('makima_message', { taskId, text: 'later' });
    expect(value).toMatchObject({ state: 'pending', note: expect.stringContaining('messageId') });
    const sent = await http('POST', `${mesh}/tasks/${taskId}/message`, { message: 'and this' });
    expect(sent).toMatchObject({ status: 202, json: { state: 'pending', mode: 'queue' } });
    const { messageId } = sent.json;
    await received(taskId, messageId, 'queued');
    const look = { taskId, messageId, timeoutSeconds: 0 };
    expect((await call('makima_message', look)).value.state).toBe('queued');
    await machine.report(ended(taskId, 1, 'made it'));
    expect((await call('makima_message', look)).value.state).toBe('refused');
    const late = await call('makima_message', { taskId, text: 'too late' });
    expect(late.problem).toMatchObject({ code: 'INVALID_TRANSITION', fix: expect.any(String) });
  });

  it('with nothing in it, or of somebody else, is refused', async () => {
    const taskId = await spawned();
    const empty = await call('makima_message', { taskId });
    expect(empty.problem).toMatchObject({ code: 'VALIDATION_FAILED' });
    const unknown = await call('makima_message', { taskId, messageId: randomUUID() });
    expect(unknown.problem).toMatchObject({ code: 'NOT_FOUND' });
    const none = await http('GET', `${mesh}/messages/${randomUUID()}`);
    expect(none).toMatchObject({ status: 404, json: { code: 'NOT_FOUND' } });
  });

  it('has one effect under one id, however long its sender waits', async () => {
    const taskId = await spawned();
    const id = randomUUID();
    const text = { taskId, text: 'once' };
    const first = await call('makima_message', text, id);
    const again = await call('makima_message', { ...text, timeoutSeconds: 1 }, id);
    expect(again.value.messageId).toBe(first.value.messageId);
  });
});

describe('another attempt', () => {
  it('is for an interrupted task, and for no other', async () => {
    const taskId = await spawned();
    const early = await call('makima_retry', { taskId });
    expect(early.problem).toMatchObject({
      code: 'INVALID_TRANSITION',
      details: { status: 'running' },
    });
    await machine.report({
      ...ended(taskId, 1, ''),
      outcome: 'crashed',
      error: 'it died',
    } as never);
    const { value } = await call('makima_retry', { taskId });
    expect(value).toMatchObject({ taskId, status: 'pending', attempt: 1 });
    await machine.assign();
    const task = await http('GET', `${mesh}/tasks/${taskId}`);
    expect(task.json).toMatchObject({ status: 'running', attempt: 2, retryCount: 1 });
    await machine.report(ended(taskId, 2, 'made it'));
    const over = await http('POST', `${mesh}/tasks/${taskId}/retry`);
    expect(over).toMatchObject({ status: 400, json: { code: 'INVALID_TRANSITION' } });
    const nobody = await call('makima_retry', { taskId: randomUUID() });
    expect(nobody.problem).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('the word that a contract is complete', () => {
  it('names what is missing, the same by HTTP and as a tool', async () => {
    const asTool = await call('makima_complete');
    const byHttp = await http('POST', `/api/v1/contracts/${contract.detail.id}/complete`);
    expect(byHttp).toMatchObject({
      status: 400,
      json: { code: 'VALIDATION_FAILED', details: { missing: expect.any(Array) } },
    });
    const { requestId: _, ...problem } = asTool.problem as Record<string, unknown>;
    expect(byHttp.json).toMatchObject(problem);
    expect(asTool.text).toContain('plan-document');
  });

  it('waits for a person where a person has to confirm', async () => {
    const lead = await startedContract(api, machine);
    const own = await connectMcp(api.url, lead.supervisorKey);
    const owner = { key: api.ownerKey };
    const at = `/api/v1/contracts/${lead.detail.id}`;
    const hand = (id: string) =>
      api.send('POST', `${at}/deliverables/${id}/complete`, {
        ...owner,
        body: { evidence: [{ kind: 'word', text: 'it stands' }] },
      });
    await api.send('PATCH', at, { ...owner, body: { phaseGuard: ['execute'] } });
    await hand('plan-document');
    await api.send('POST', `${at}/phase`, { ...owner, body: { phase: 'execute' } });
    await hand('implementation');
    const pending = await callTool(own, 'makima_complete', { timeoutSeconds: 0 });
    expect(pending.value).toMatchObject({
      stillPending: true,
      completed: false,
      next: { name: 'makima_complete', args: { questionId: pending.value.questionId } },
    });
    const guarded = await api.send('POST', `${at}/complete`, { key: lead.supervisorKey });
    expect(guarded).toMatchObject({
      status: 409,
      json: {
        code: 'PHASE_GUARD_REQUIRED',
        details: { questionId: pending.value.questionId },
      },
    });
    const waiting = callTool(own, 'makima_complete', pending.value.next.args);
    await held(1);
    const answer = { ...owner, body: { response: 'Approve' } };
    await api.send('POST', `${mesh}/questions/${pending.value.questionId}/answer`, answer);
    expect((await waiting).value).toMatchObject({
      stillPending: false,
      completed: true,
      status: 'completing',
      response: 'Approve',
    });
    await own.close();
    const done = await api.send('POST', `${at}/complete`, { key: lead.supervisorKey });
    expect(done).toMatchObject({ status: 200, json: { success: true, status: 'completing' } });
  });
});
