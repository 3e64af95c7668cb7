// Everything dies at a bad moment, and the contract goes on where it was.
// Why: this is the promise that makima stands on; each way to die has its own test, so that one tells which.
// Law: deaths are SIGKILL to a real process at a moment that the test has seen come; the agents' own ledger is
// the witness: one start for each attempt, nothing asked or spawned twice.
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectAttempts, isAlive, killNow, linesOf, pidOf, toolIds, untilLine } from './agents.ts';
import { answer, document, hold, spawn, startContract, taskNamed, tell } from './contract.ts';
import type { Started, Step } from './contract.ts';
import { kill } from './deaths.ts';
import { expectInvariants, inOrder, openHouse, type House } from './house.ts';
import { every } from './pages.ts';
import { eventually } from './patience.ts';
import { filesOn } from './repository.ts';

let house: House;
beforeAll(async () => {
  house = await openHouse({
    env: { MAKIMA_COMPLETION_GRACE_PERIOD_MINUTES: '0', LOG_LEVEL: 'debug' },
  });
});
afterAll(() => house.close());

/** The end of every contract here: both phases handed in. */
const finish: Step[] = [
  ...document('plan-document', 'PLAN.md'),
  { advance: 'execute' },
  { deliverable: { id: 'implementation', evidence: [{ file: 'PLAN.md' }] } },
  { done: 'It is done.' },
];

const saying = (name: string, count: number, pauseMs = 0): Step => ({
  repeat: { times: count },
  steps: [{ say: `${name} \${index}` }, ...(pauseMs === 0 ? [] : [{ sleep: pauseMs }])],
});

/** A task that speaks, waits for the word, and speaks on. */
const talker = (name: string): Step =>
  spawn(name, [
    saying(`${name} before`, 20),
    hold('go'),
    saying(`${name} after`, 20),
    { write: { file: `out/${name}.txt`, content: `${name}\n` } },
    { commit: `Make ${name}` },
    { done: `${name} is made` },
  ]);

const names = ['ash', 'birch', 'cedar'];
const all = names.map((name) => `\${${name}}`);

/** All that an agent said, to the last page. */
async function textOf(id: string): Promise<string[]> {
  const lines = await every((after) =>
    house.client.call('listTaskOutput', { params: { id }, query: { limit: 150, ...after } }),
  );
  return lines.filter(({ messageType }) => messageType !== 'system').map((line) => line.content);
}

const said = async (taskId: string, name: string): Promise<string[]> =>
  (await textOf(taskId)).filter((line) => line.startsWith(name) && !line.endsWith('is made'));

const expected = (name: string): string[] => [
  ...Array.from({ length: 20 }, (_, n) => `${name} before ${n}`),
  ...Array.from({ length: 20 }, (_, n) => `${name} after ${n}`),
];

/** It completed, everything that was spawned is there once, and nothing of it was doubled or lost. */
async function expectWhole(job: Started, files: readonly string[]): Promise<void> {
  expect(await job.story.end()).toBe('completed');
  expect(filesOn(job.repo, job.branch, 'out/')).toEqual(files.map((name) => `out/${name}.txt`));
  job.story.close();
  await expectInvariants(house);
}

/** Spawns the three talkers, waits for them, merges them. */
const three: Step[] = [
  ...names.map(talker),
  { wait: all, as: 'ended' },
  ...all.map((task): Step => ({ merge: task })),
  ...finish,
];

/** The three tasks of a contract, once each has said its first part and the API shows it. */
async function threeAtWork(job: Started): Promise<string[]> {
  const ids = await Promise.all(names.map((name) => taskNamed(job, name)));
  await job.story.until('wait.started');
  for (const [index, id] of ids.entries()) {
    await eventually(
      () => said(id, `${names[index]} before`),
      (lines) => lines.length === 20,
      { what: `the first part of ${names[index]}` },
    );
  }
  return ids;
}

describe('a supervisor that dies', () => {
  inOrder(() => house);

  it('between a question and its answer, goes on in the same conversation with the same question', async () => {
    const job = await startContract(
      house,
      [
        { say: 'I think of a number: 42.' },
        { ask: { question: 'Which name?', choices: ['Ada', 'Grace'] }, as: 'name' },
        {
          say: 'You chose ${name.response}; I still think of 42, restored ${restored.count} time.',
        },
        ...finish,
      ],
      { name: 'asks' },
    );
    const id = job.supervisorId;
    const asked = await job.story.until('question.asked');
    killNow(await pidOf(house, id, 1));
    const restored = await job.story.until('supervisor.restored');
    expect(restored.taskId).toBe(id);
    await untilLine(house, id, ({ event, attempt }) => event === 'restored' && attempt === 2);
    await untilLine(house, id, (line) => line.event === 'tool' && line.attempt === 2);
    const { items } = await house.client.call('listQuestions', { query: { contractId: job.id } });
    expect(items).toMatchObject([
      { id: asked.data['questionId'], isRestored: true, status: 'open', choices: ['Ada', 'Grace'] },
    ]);
    expect(Date.parse(items[0]?.askedAt ?? '')).toBeLessThanOrEqual(Date.parse(asked.time) + 1);
    const status = await house.client.call('supervisorStatus', { params: { id: job.id } });
    expect(status).toMatchObject({
      epoch: 2,
      restoration_count: 1,
      pending_question_ids: [asked.data['questionId']],
    });
    expect(await answer(house.client, job, 'Which name?', 'Grace')).toBe(asked.data['questionId']);
    await expectWhole(job, []);
    const starts = expectAttempts(house, id, 2);
    expect(starts.every(({ session }) => session === starts[0]?.session)).toBe(true);
    const asks = toolIds(house, id, 'makima_ask');
    expect(asks.get(1)).toHaveLength(1);
    expect(asks.get(2)?.[0]).toBe(asks.get(1)?.[0]);
    const words = await textOf(id);
    expect(words).toContain('You chose Grace; I still think of 42, restored 1 time.');
    expect(words.filter((line) => line.startsWith('I think of a number'))).toHaveLength(1);
    const conversation = await house.client.call('listConversation', {
      params: { id },
      query: { limit: 200 },
    });
    const notices = conversation.items.filter(({ content }) =>
      content.includes('=== SUPERVISOR RESTORATION NOTICE ==='),
    );
    expect(notices).toHaveLength(1);
    expect(notices[0]?.content).toContain(String(asked.data['questionId']));
  });

  it('while it waits for its tasks, waits on for the same ones', async () => {
    const job = await startContract(house, three, { name: 'waits' });
    const ids = await threeAtWork(job);
    const first = await pidOf(house, job.supervisorId, 1);
    killNow(first);
    // They end while nobody waits for them.
    for (const id of ids) await tell(house.client, id, 'go');
    await job.story.untilMany('task.completed', 3);
    await job.story.until('supervisor.restored');
    await expectWhole(job, names);
    expectAttempts(house, job.supervisorId, 2);
    for (const [index, id] of ids.entries()) {
      expectAttempts(house, id, 1);
      expect(await said(id, names[index] ?? '')).toEqual(expected(names[index] ?? ''));
    }
    const waits = toolIds(house, job.supervisorId, 'makima_wait');
    expect(waits.get(2)?.[0]).toBe(waits.get(1)?.[0]);
    expect(isAlive(first)).toBe(false);
  });

  it('while its spawn is on the way, and when it was just heard, spawns nothing twice', async () => {
    const quick = (name: string): Step => spawn(name, [{ done: name }]);
    const job = await startContract(
      house,
      [hold('begin'), quick('one'), quick('two'), { wait: ['${one}', '${two}'] }, ...finish],
      { name: 'spawns' },
    );
    const id = job.supervisorId;
    const api = house.stack.process('api');
    const first = await pidOf(house, id, 1);
    await job.story.until('task.started', ({ taskId }) => taskId === id);
    await tell(house.client, id, 'begin');
    // The first spawn reaches an API that stands still, and its asker dies before the answer.
    api.signal('SIGSTOP');
    try {
      await untilLine(house, id, ({ name }) => name === 'makima_spawn');
      killNow(first);
    } finally {
      api.signal('SIGCONT');
    }
    await job.story.until('supervisor.restored');
    // The second is known to have happened when its asker dies.
    const second = await pidOf(house, id, 2);
    await job.story.until('task.spawned', ({ data }) => data['name'] === 'two');
    killNow(second);
    await job.story.untilMany('supervisor.restored', 2);
    await expectWhole(job, []);
    expectAttempts(house, id, 3);
    const { items } = await house.client.call('listContractTasks', { params: { id: job.id } });
    expect(items.map(({ name }) => name).toSorted()).toEqual(['one', 'spawns (supervisor)', 'two']);
    const spawnIds = [...toolIds(house, id, 'makima_spawn').values()].flat();
    expect(new Set(spawnIds).size).toBe(2);
  });
});

describe('a process that dies', () => {
  inOrder(() => house);

  it('the daemon with three agents at work: none outlives it, all go on as attempt 2', async () => {
    const job = await startContract(house, three, { name: 'daemon' });
    const ids = await threeAtWork(job);
    const agents = [job.supervisorId, ...ids];
    const pids = await Promise.all(agents.map((id) => pidOf(house, id, 1)));
    const { back } = kill(house, 'daemon');
    await eventually(
      () => pids.filter(isAlive),
      (left) => left.length === 0,
      { what: 'the end of every agent', withinMs: 5_000 },
    );
    await back;
    await Promise.all(agents.map((id) => pidOf(house, id, 2)));
    for (const id of ids) await tell(house.client, id, 'go');
    await expectWhole(job, names);
    for (const id of agents) expectAttempts(house, id, 2);
    for (const [index, id] of ids.entries()) {
      expect(await said(id, names[index] ?? '')).toEqual(expected(names[index] ?? ''));
      const task = await house.client.call('getTask', { params: { id } });
      expect(task.attempts.map(({ attempt, state }) => [attempt, state])).toEqual([
        [1, 'lost'],
        [2, 'done'],
      ]);
    }
  });

  it('the gateway in the middle of output: not a line is lost and nobody starts again', async () => {
    const flood = (name: string): Step =>
      spawn(name, [saying(`${name} says`, 150, 5), { done: name }]);
    const job = await startContract(house, [...names.map(flood), { wait: all }, ...finish], {
      name: 'gateway',
    });
    const ids = await Promise.all(names.map((name) => taskNamed(job, name)));
    await untilLine(house, ids[0] ?? '', ({ text }) => text === 'ash says 20');
    await kill(house, 'daemon-gateway').back;
    await expectWhole(job, []);
    for (const [index, id] of ids.entries()) {
      expectAttempts(house, id, 1);
      const name = `${names[index]} says`;
      expect(await said(id, name)).toEqual(Array.from({ length: 150 }, (_, n) => `${name} ${n}`));
    }
    expectAttempts(house, job.supervisorId, 1);
  });

  it('API, scheduler and restorer while somebody waits and asks: nobody notices', async () => {
    const job = await startContract(
      house,
      [...three.slice(0, 4), { ask: 'Shall they be merged?' }, ...three.slice(4)],
      { name: 'services' },
    );
    const ids = await threeAtWork(job);
    await Promise.all(['api', 'scheduler', 'restorer'].map((name) => kill(house, name).back));
    for (const id of ids) await tell(house.client, id, 'go');
    await job.story.until('question.asked');
    await kill(house, 'api').back;
    await answer(house.client, job, 'merged', 'yes');
    await expectWhole(job, names);
    for (const id of [job.supervisorId, ...ids]) expectAttempts(house, id, 1);
  });

  it('Redis with all its jobs while tasks are pending: they start all the same', async () => {
    const job = await startContract(house, [hold('begin'), ...three], { name: 'redis' });
    const scheduler = house.stack.process('scheduler');
    const redis = new Redis(house.stack.addresses.redisUrl);
    await job.story.until('task.started');
    scheduler.signal('SIGSTOP');
    try {
      await tell(house.client, job.supervisorId, 'begin');
      await job.story.untilMany('task.spawned', 3);
      await job.story.until('wait.started');
      await redis.flushall();
    } finally {
      scheduler.signal('SIGCONT');
      redis.disconnect();
    }
    const ids = await threeAtWork(job);
    for (const id of ids) await tell(house.client, id, 'go');
    await expectWhole(job, names);
    for (const id of [job.supervisorId, ...ids]) expectAttempts(house, id, 1);
    expect(linesOf(house, job.supervisorId, 'restored')).toEqual([]);
  });
});
