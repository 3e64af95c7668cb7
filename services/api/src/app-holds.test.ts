/** Requests that are held: for tasks, for people, for machines. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandOf } from '@makima/contracts/socket/commands';
import { expireWaits } from '@makima/engine/wait/expire';
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

const mesh = '/api/v1/mesh';

async function spawned(): Promise<string> {
  const body = { name: 't', plan: 'p', contractId: contract.detail.id };
  const { json } = await api.send('POST', `${mesh}/supervisor/tasks`, {
    key: contract.supervisorKey,
    body,
  });
  await machine.assign();
  return json.id;
}

/** Resolves when this many requests are held. */
const held = (count: number) => expect.poll(() => api.api.holds.size, { interval: 5 }).toBe(count);

describe('waiting for a task', () => {
  it('ends with the task', async () => {
    const id = await spawned();
    const waiting = api.send('POST', `${mesh}/supervisor/tasks/${id}/wait`, {
      key: contract.supervisorKey,
      body: {},
    });
    await held(1);
    await machine.report(ended(id, 1, 'made it'));
    expect(await waiting).toMatchObject({
      status: 200,
      json: { taskId: id, status: 'done', completed: true, outputSummary: 'made it' },
    });
    const after = await api.send('POST', `${mesh}/supervisor/tasks/${id}/wait`, {
      key: api.ownerKey,
    });
    expect(after.json).toMatchObject({ completed: true });
  });

  it('is answered with what is when the time is up', async () => {
    const id = await spawned();
    const answer = await api.send('POST', `${mesh}/supervisor/tasks/${id}/wait`, {
      key: contract.supervisorKey,
      body: { timeoutSeconds: 0 },
    });
    expect(answer).toMatchObject({
      status: 200,
      json: { taskId: id, status: 'running', completed: false },
    });
  });

  it('may be for any or all of several', async () => {
    const [a, b] = [await spawned(), await spawned()];
    const wait = (mode: string) =>
      api.send('POST', `${mesh}/supervisor/waits`, {
        key: contract.supervisorKey,
        body: { taskIds: [a, b], mode },
      });
    const any = wait('any');
    const all = wait('all');
    await held(2);
    await machine.report(ended(a, 1, 'first'));
    expect((await any).json).toMatchObject({ satisfied: true });
    await machine.report(ended(b, 1, 'second'));
    expect((await all).json.tasks.map((task: { status: string }) => task.status)).toEqual([
      'done',
      'done',
    ]);
  });

  it('is taken up again by its handle, and gives up when its own time is over', async () => {
    const id = await spawned();
    const wait = (body: object) =>
      api.send('POST', `${mesh}/supervisor/waits`, { key: contract.supervisorKey, body });
    const first = await wait({ taskIds: [id], timeoutSeconds: 0, expiresInSeconds: 600 });
    expect(first.json).toMatchObject({ satisfied: false, timedOut: false });
    const { waitId, until } = first.json;
    expect(Date.parse(until)).toBeGreaterThan(Date.now() + 500_000);
    const again = wait({ taskIds: [id], waitId });
    await held(1);
    const { engine } = api;
    await engine.database
      .sql`update waits set until = clock() - interval '1 s' where id = ${waitId}`;
    await expireWaits(engine, { limit: 10 });
    expect((await again).json).toMatchObject({
      waitId,
      satisfied: false,
      timedOut: true,
      tasks: [{ taskId: id, status: 'running', completed: false }],
    });
    const one = await api.send('POST', `${mesh}/supervisor/tasks/${id}/wait`, {
      key: contract.supervisorKey,
      body: { waitId },
    });
    expect(one.json).toMatchObject({ waitId, timedOut: true, completed: false });
    const foreign = await wait({ taskIds: [id], waitId: id });
    expect(foreign).toMatchObject({ status: 404, json: { code: 'NOT_FOUND' } });
    const never = await wait({ taskIds: [id], expiresInSeconds: 0 });
    expect(never).toMatchObject({ status: 400, json: { code: 'VALIDATION_FAILED' } });
  });

  it('ends when its caller goes, and is forgotten when it was a person', async () => {
    const id = await spawned();
    const leaving = new AbortController();
    const waiting = api.send('POST', `${mesh}/supervisor/waits`, {
      key: api.ownerKey,
      body: { taskIds: [id] },
      signal: leaving.signal,
    });
    await held(1);
    leaving.abort();
    await expect(waiting).rejects.toThrow();
    await held(0);
    await expect
      .poll(async () => {
        const rows = await api.engine.database
          .sql`select state from waits where target_ids = ${[id]}::uuid[]`;
        return rows[0]?.['state'];
      })
      .toBe('cancelled');
  });
});

it('a wait that a person asks for again, with the same key, is answered from the tasks', async () => {
  const id = await spawned();
  const again = () =>
    api.send('POST', `${mesh}/supervisor/waits`, {
      key: api.ownerKey,
      body: { taskIds: [id], timeoutSeconds: 0 },
      headers: { 'idempotency-key': `wait-${id}` },
    });
  expect((await again()).json).toMatchObject({ satisfied: false });
  await machine.report(ended(id, 1, 'made it'));
  expect((await again()).json).toMatchObject({ satisfied: true, tasks: [{ completed: true }] });
});

describe('asking a person', () => {
  const ask = (body: object) =>
    api.send('POST', `${mesh}/supervisor/questions`, { key: contract.supervisorKey, body });
  const answer = (id: string, response: string) =>
    api.send('POST', `${mesh}/questions/${id}/answer`, { key: api.ownerKey, body: { response } });
  const openQuestion = async (): Promise<string> => {
    const { json } = await api.send('GET', `${mesh}/questions?contractId=${contract.detail.id}`, {
      key: api.ownerKey,
    });
    return json.items.at(-1)?.id;
  };

  it('is held until somebody answers; the second answer is told who was first', async () => {
    const asking = ask({ question: 'red or blue?', choices: ['red', 'blue'] });
    await held(1);
    const id = await openQuestion();
    const all = await Promise.all(
      Array.from({ length: 5 }, (_, i) => answer(id, i % 2 === 0 ? 'red' : 'blue')),
    );
    expect(all.map((each) => each.status).toSorted((a, b) => a - b)).toEqual([
      200, 409, 409, 409, 409,
    ]);
    const winner = all.find((each) => each.status === 200)?.json.response;
    expect(await asking).toMatchObject({
      status: 200,
      json: { questionId: id, response: winner, timedOut: false, stillPending: false },
    });
    const late = all.find((each) => each.status === 409);
    expect(late?.json).toMatchObject({ code: 'QUESTION_ANSWERED', details: { response: winner } });
    // Read as its result, it is not sent as a message too.
    const messages = await api.engine.database
      .sql`select * from agent_messages where source_id = ${id}`;
    expect(messages.length).toBe(0);
  });

  it('twenty answers at once: one counts, nineteen are told who was first and with what', async () => {
    const { json } = await ask({
      question: 'one of twenty?',
      choices: ['red', 'blue'],
      nonBlocking: true,
    });
    const id = json.questionId;
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, i) => answer(id, i % 2 === 0 ? 'red' : 'blue')),
    );
    const won = all.filter((each) => each.status === 200);
    const lost = all.filter((each) => each.status === 409);
    expect([won.length, lost.length]).toEqual([1, 19]);
    const { answeredBy, answeredAt, response } = won[0]?.json ?? {};
    for (const each of lost) {
      expect(each.json).toMatchObject({
        code: 'QUESTION_ANSWERED',
        details: { answeredBy, answeredAt, response },
      });
    }
    const messages = await api.engine.database
      .sql`select id from agent_messages where source_id = ${id}`;
    expect(messages).toHaveLength(1);
  });

  it('a poll ends with 408 when the time of the asker ends in it, and may be begun again', async () => {
    const asked = await ask({ question: 'soon?', nonBlocking: true });
    const id = asked.json.questionId;
    const { sql } = api.engine.database;
    await sql`update questions set wait_until = clock() + interval '300 ms' where id = ${id}`;
    const poll = (seconds: number) =>
      api.send('GET', `${mesh}/supervisor/questions/${id}/poll?waitSeconds=${seconds}`, {
        key: contract.supervisorKey,
      });
    expect(await poll(30)).toMatchObject({
      status: 408,
      json: { code: 'WAIT_TIMED_OUT', details: { timedOut: true, questionId: id } },
    });
    expect(await poll(0)).toMatchObject({ status: 200, json: { stillPending: true } });
    const waiting = poll(30);
    await held(1);
    await answer(id, 'now');
    expect((await waiting).json).toMatchObject({ response: 'now', stillPending: false });
  });

  it('a guard is pending and never times out', async () => {
    const asking = ask({ question: 'may I?', phaseguard: true, timeoutSeconds: 1 });
    await held(1);
    const id = await openQuestion();
    const [row] = await api.engine.database.sql`select wait_until from questions where id = ${id}`;
    expect(row?.['waitUntil']).toBeNull();
    await answer(id, 'yes');
    expect((await asking).json).toMatchObject({ response: 'yes' });
  });

  it('a default counts down where everybody sees it, until a person stops it', async () => {
    const asked = await ask({
      question: 'and now?',
      nonBlocking: true,
      default: { answer: 'wait', afterSeconds: 600 },
    });
    const id = asked.json.questionId;
    const get = () => api.send('GET', `${mesh}/questions/${id}`, { key: api.ownerKey });
    expect((await get()).json.default).toMatchObject({ answer: 'wait', at: expect.any(String) });
    const { json } = await api.send('GET', '/api/v1/inbox', { key: api.ownerKey });
    const item = json.items.find(
      (each: { question: { id: string } | null }) => each.question?.id === id,
    );
    expect(item.question.default.answer).toBe('wait');
    const held = await api.send('POST', `${mesh}/questions/${id}/hold`, { key: api.ownerKey });
    expect(held).toMatchObject({ status: 200, json: { default: { answer: 'wait', at: null } } });
    const guard = await ask({
      question: 'q',
      phaseguard: true,
      default: { answer: 'yes', afterSeconds: 600 },
    });
    expect(guard).toMatchObject({ status: 400, json: { code: 'VALIDATION_FAILED' } });
    await answer(id, 'go');
  });

  it('a question that is withdrawn ends the waiting of its asker', async () => {
    const asking = ask({ question: 'complete?', questionType: 'contract_complete' });
    await held(1);
    const id = await openQuestion();
    const patched = await api.send('PATCH', `/api/v1/contracts/${contract.detail.id}`, {
      key: api.ownerKey,
      body: { priority: 7 },
    });
    expect(patched.status).toBe(200);
    expect((await asking).json).toEqual({
      questionId: id,
      response: null,
      timedOut: false,
      stillPending: false,
      withdrawn: true,
    });
  });

  it('times out with the question left open, or is pending when nobody waits', async () => {
    const late = await ask({ question: 'anybody?', timeoutSeconds: 1 });
    expect(late).toMatchObject({
      status: 408,
      json: { code: 'WAIT_TIMED_OUT', details: { timedOut: true } },
    });
    const id = late.json.details.questionId;
    const poll = () =>
      api.send('GET', `${mesh}/supervisor/questions/${id}/poll?waitSeconds=0`, {
        key: contract.supervisorKey,
      });
    expect((await poll()).json).toEqual({
      questionId: id,
      response: null,
      timedOut: false,
      stillPending: true,
      withdrawn: false,
    });
    expect((await answer(id, 'me')).status).toBe(200);
    expect((await poll()).json).toMatchObject({ response: 'me', stillPending: false });
    const messages = await api.engine.database.sql<
      { text: string }[]
    >`select text from agent_messages where source_id = ${id}`;
    expect(messages[0]?.text).toContain('[User Response to Question]');
    const open = await ask({ question: 'later?', nonBlocking: true });
    expect(open).toMatchObject({ status: 200, json: { stillPending: true } });
    expect((await answer(open.json.questionId, 'yes')).status).toBe(200);
  });
});

describe('work of a machine', () => {
  it('is answered when the machine has done it', async () => {
    const id = await spawned();
    await machine.report(ended(id, 1, 'ready'));
    await machine.commands();
    const merging = api.send('POST', `${mesh}/supervisor/tasks/${id}/merge`, {
      key: contract.supervisorKey,
      body: {},
    });
    await held(1);
    const command = (await machine.commands()).find(
      (each) => each.kind === 'branch.merge',
    ) as CommandOf<'branch.merge'>;
    await machine.report({
      kind: 'operation.finished',
      operationId: command.operationId,
      ok: true,
      result: {
        kind: 'branch.merge',
        success: true,
        message: 'merged',
        commitSha: 'b'.repeat(40),
        conflicts: [],
      },
      error: null,
    });
    expect(await merging).toMatchObject({
      status: 200,
      json: {
        operationId: command.operationId,
        taskId: id,
        success: true,
        commitSha: 'b'.repeat(40),
        conflicts: [],
      },
    });
    const operation = await api.send('GET', `${mesh}/operations/${command.operationId}`, {
      key: api.ownerKey,
    });
    expect(operation.json).toMatchObject({ state: 'done', kind: 'branch.merge' });
  });

  it('that failed is told with its code', async () => {
    const id = await spawned();
    const making = api.send('POST', `${mesh}/tasks/${id}/checkpoint`, {
      key: await machine.toolKey({ taskId: id, attempt: 1 }),
      body: { message: 'half way' },
    });
    await held(1);
    const command = (await machine.commands()).find((each) => each.kind === 'task.checkpoint');
    if (command?.kind !== 'task.checkpoint') throw new Error('no checkpoint was asked for');
    await machine.report({
      kind: 'operation.finished',
      operationId: command.operationId,
      ok: false,
      result: null,
      error: { code: 'GIT_FAILED', message: 'the disk is full' },
    });
    expect(await making).toMatchObject({
      status: 502,
      json: { code: 'GIT_FAILED', detail: 'the disk is full' },
    });
  });

  it('asked directly needs a gateway that listens', async () => {
    const id = await spawned();
    const answer = await api.send('POST', `${mesh}/supervisor/tasks/${id}/read-file`, {
      key: contract.supervisorKey,
      body: { filePath: 'README.md' },
    });
    expect(answer).toMatchObject({ status: 503, json: { code: 'NO_DAEMON', retryable: true } });
    expect(answer.headers['retry-after']).toBeDefined();
  });
});
