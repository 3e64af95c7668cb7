// A supervisor that waits has no process, for as long as it takes, and is back when what it waits for comes.
// Why: waiting must cost nothing, and nothing that comes meanwhile may be lost, whatever dies.
// Law: time passes by the clock of the database; the agents' ledger tells how often who was started.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectAttempts, isAlive, linesOf, pidOf, toolIds } from './agents.ts';
import { answer, document, hold, spawn, startContract, taskNamed, tell } from './contract.ts';
import type { Started, Step } from './contract.ts';
import { kill } from './deaths.ts';
import { expectInvariants, inOrder, openHouse, type House } from './house.ts';
import { eventually } from './patience.ts';

let house: House;
beforeAll(async () => {
  house = await openHouse({
    env: {
      MAKIMA_COMPLETION_GRACE_PERIOD_MINUTES: '0',
      MAKIMA_PARK_AFTER_SECONDS: '1',
      MAKIMA_MAX_TASKS: '20',
    },
  });
});
afterAll(() => house.close());

const finish: Step[] = [
  ...document('plan-document', 'PLAN.md'),
  { advance: 'execute' },
  { deliverable: { id: 'implementation', evidence: [{ file: 'PLAN.md' }] } },
  { done: 'It is done.' },
];

const asks = (choices: readonly string[] = ['Ada', 'Grace']): Step[] => [
  { say: 'I think of 42.' },
  { ask: { question: 'Which name?', choices }, as: 'name' },
  { say: 'You chose ${name.response}; I still think of 42.' },
  ...finish,
];

const waits: Step[] = [
  spawn('builder', [hold('go'), { done: 'It is built.' }]),
  { wait: ['${builder}'], as: 'ended' },
  { say: 'It ended: ${ended.tasks.0.summary}' },
  ...finish,
];

/** Parked, and its process gone. Answers the process of before. */
async function parked({ story, supervisorId }: Started): Promise<number> {
  const pid = await pidOf(house, supervisorId, 1);
  const event = await story.until('supervisor.parked');
  expect(event.data).toMatchObject({ epoch: 1 });
  expect(isAlive(pid)).toBe(false);
  const task = await house.client.call('getTask', { params: { id: supervisorId } });
  expect(task).toMatchObject({ status: 'paused', session: 'parked' });
  return pid;
}

/** It ended well, was woken once, in one conversation, and called its tool under one id. */
async function expectWoken(job: Started, tool: string): Promise<void> {
  expect(await job.story.end()).toBe('completed');
  expectAttempts(house, job.supervisorId, 2);
  const calls = toolIds(house, job.supervisorId, tool);
  expect(calls.get(1)).toHaveLength(1);
  expect(calls.get(2)).toEqual(calls.get(1));
  const count = (type: string) => job.story.events.filter((event) => event.type === type).length;
  expect([count('supervisor.parked'), count('supervisor.woken')]).toEqual([1, 1]);
  expect(count('supervisor.restored')).toBe(0);
  job.story.close();
}

const lines = (job: Started): string[] =>
  linesOf(house, job.supervisorId, 'line').map((line) => String(line['text' as never]));

describe('a supervisor that waits', () => {
  inOrder(() => house);

  it('for a task, is parked and hears of its end in the same call', async () => {
    const job = await startContract(house, waits, { name: 'waits for a task' });
    const builder = await taskNamed(job, 'builder');
    await parked(job);
    const { items } = await house.client.call('listContracts', { query: { limit: 50 } });
    expect(items.find(({ id }) => id === job.id)).toMatchObject({ attention: 'running' });
    await tell(house.client, builder, 'go');
    await expectWoken(job, 'makima_wait');
    expect(lines(job)).toContain('It ended: It is built.');
    await expectInvariants(house);
  });

  it('is parked, everything dies, and it is woken all the same', async () => {
    const job = await startContract(house, asks(), { name: 'outlives them all' });
    await parked(job);
    const deaths = ['restorer', 'scheduler', 'daemon-gateway', 'daemon'].map((name) =>
      kill(house, name),
    );
    await answer(house.client, job, 'Which name?', 'Grace');
    await Promise.all(deaths.map(({ back }) => back));
    await expectWoken(job, 'makima_ask');
    expect(lines(job)).toContain('You chose Grace; I still think of 42.');
    const asked = job.story.events.filter(({ type }) => type === 'question.asked');
    expect(asked).toHaveLength(1);
    await expectInvariants(house);
  });

  it('is answered around the moment in which it is parked: each answer is read, once', async () => {
    const jobs = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        startContract(house, asks(), { name: `answered at its own moment ${n}` }),
      ),
    );
    await Promise.all(
      jobs.map(async (job, n) => {
        const { time } = await job.story.until('question.asked');
        // From a little before it is due to be parked until after.
        const at = Date.parse(time) + 700 + n * 200;
        await eventually(
          () => Date.now(),
          (now) => now >= at,
          { what: 'the moment' },
        );
        await answer(house.client, job, 'Which name?', 'Ada');
      }),
    );
    for (const job of jobs) {
      expect(await job.story.end()).toBe('completed');
      const chosen = lines(job).filter((line) => line.startsWith('You chose'));
      expect(chosen).toEqual(['You chose Ada; I still think of 42.']);
      job.story.close();
    }
    await expectInvariants(house);
  });

  it('is cancelled while it is parked, and is never started again', async () => {
    const job = await startContract(house, asks(), { name: 'is called off' });
    await parked(job);
    await house.client.call('changeStatus', {
      params: { id: job.id },
      body: { targetStatus: 'failed' },
    });
    const ended = await job.story.until(
      'task.cancelled',
      ({ taskId }) => taskId === job.supervisorId,
    );
    expect(ended.data).toMatchObject({ attempt: 1 });
    expectAttempts(house, job.supervisorId, 1);
    job.story.close();
  });

  it('waits an hour: no process, no token, no restoration, nothing stale', async () => {
    const job = await startContract(house, asks(), { name: 'waits an hour' });
    const pid = await parked(job);
    const before = linesOf(house, job.supervisorId).length;
    await anHourLater();
    const contract = await eventually(
      () => house.client.call('getContract', { params: { id: job.id } }),
      () => true,
      { what: 'the contract' },
    );
    expect(contract).toMatchObject({ status: 'waiting_for_input', attention: 'needs_you' });
    const why = await house.client.call('whyContract', { params: { id: job.id } });
    expect(why.blockers.map(({ kind }) => kind)).toEqual(['question']);
    // Every sweep has looked at it by this clock, also in its first round.
    for (const name of ['restorer', 'scheduler']) await kill(house, name).back;
    expect(isAlive(pid)).toBe(false);
    expect(linesOf(house, job.supervisorId)).toHaveLength(before);
    await answer(house.client, job, 'Which name?', 'Grace');
    await expectWoken(job, 'makima_ask');
    await expectInvariants(house);
  });
});

/** The clock of the store goes on by an hour, for everybody who connects to it anew: everybody does. */
async function anHourLater(): Promise<void> {
  await house.sql.unsafe(`
    do $$ begin
      execute format('alter database %I set makima.clock_offset = ''1 hour''', current_database());
    end $$`);
  await house.sql`
    select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()`;
}
