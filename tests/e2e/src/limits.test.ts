// Usage limits and budgets: a fan-out meets its account's limit in the middle, everybody rests, and everybody finishes.
// Why: with a limit as a failure, whoever is done is done again and whoever is not is lost.
// Law: the agents' ledger is the witness of who was started how often; times are those of the events.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectAttempts, isAlive, linesOf } from './agents.ts';
import { answer, startContract, taskNamed } from './contract.ts';
import type { Started, Step } from './contract.ts';
import { kill } from './deaths.ts';
import { expectInvariants, inOrder, openHouse, type House } from './house.ts';
import { eventually } from './patience.ts';

let house: House;
beforeAll(async () => {
  house = await openHouse({
    env: {
      MAKIMA_COMPLETION_GRACE_PERIOD_MINUTES: '0',
      MAKIMA_LIMITS:
        'spawnsPerContractPerMinuteMax=1000,requestsPerKeyPerMinuteMax=100000,failedAuthPerAddressPerMinuteMax=100000',
      MAKIMA_MAX_TASKS: '8',
    },
  });
});
afterAll(() => house.close());

const names = (word: string): string[] => Array.from({ length: 10 }, (_, n) => `${word}${n}`);
const [quick, slow] = [names('quick'), names('slow')];
const spawnOf = (name: string, plan: object): Step => ({ spawn: { name, ...plan }, as: name });
const ended: Step[] = [
  { write: { file: 'PLAN.md', content: '# Plan\n' } },
  { commit: 'Write the plan' },
  { merge: { task: '${task}' } },
  { deliverable: { id: 'plan-document', evidence: [{ file: 'PLAN.md' }] } },
  { advance: 'execute' },
  { deliverable: { id: 'implementation', evidence: [{ file: 'PLAN.md' }] } },
  { done: 'It is done.' },
];
const wait = (all: readonly string[]): Step => ({ wait: all.map((name) => `\${${name}}`) });

const idsOf = (job: Started, all: readonly string[]): Promise<string[]> =>
  Promise.all(all.map((name) => taskNamed(job, name)));
/** What its script said; that it noted the word to go on is its own. */
const said = (id: string): string[] =>
  linesOf(house, id, 'line')
    .map((line) => String(line['text' as never]))
    .filter((line) => !line.startsWith('Noted: [Continue]'));

describe('a usage limit', () => {
  inOrder(() => house);

  it('in the middle of a fan-out of 20 is a pause: all finish, none that was done is run again', async () => {
    const job = await startContract(
      house,
      [
        ...quick.map((name) =>
          spawnOf(name, { steps: [{ say: name }, { done: `${name} is done` }] }),
        ),
        wait(quick),
        ...slow.map((name) => spawnOf(name, { plan: 'Do it.\n\nscript: limited' })),
        wait(slow),
        ...ended,
      ],
      { name: 'fans out' },
    );
    const limited = await job.story.until('task.limited');
    expect(limited.data).toMatchObject({ agent: 'scripted', asks: false, attempt: 1 });
    const resting = limited.taskId ?? '';
    const pid = Number(linesOf(house, resting, 'start')[0]?.pid);
    await eventually(
      () => isAlive(pid),
      (alive) => !alive,
      { what: 'the end of its process' },
    );
    const task = await house.client.call('getTask', { params: { id: resting } });
    expect(task).toMatchObject({ status: 'paused', session: 'limited' });
    expect(Date.parse(task.resumeAt ?? '')).toBe(Date.parse(String(limited.data['until'])));
    // The timer is a row: it outlives who looks at it.
    const back = kill(house, 'scheduler').back;
    const ids = await idsOf(job, slow);
    const states = await eventually(
      () => Promise.all(ids.map((id) => house.client.call('getTask', { params: { id } }))),
      (all) => all.every(({ session }) => session !== 'live'),
      { what: 'everybody at rest' },
    );
    const waits = states.find(({ status }) => status === 'pending');
    if (waits !== undefined) {
      const why = await house.client.call('whyTask', { params: { id: waits.id } });
      expect(why.summary).toMatch(/^The account of scripted is at its usage limit until 2\d\d\d-/);
    }
    await back;
    expect(await job.story.end()).toBe('completed');
    const events = job.story.events;
    expect(events.filter(({ type }) => type === 'task.failed')).toEqual([]);
    expect(events.filter(({ type }) => type === 'attempt.lost')).toEqual([]);
    for (const id of await idsOf(job, quick)) expectAttempts(house, id, 1);
    for (const id of ids) {
      expectAttempts(house, id, 2);
      expect(said(id)).toEqual(['I begin.', 'The limit is over.']);
    }
    // Nobody was given a place while the account was at its limit.
    const held = events.filter(({ type }) => type === 'task.limited');
    const inside = events.filter(
      ({ type, time }) =>
        type === 'task.assigned' &&
        held.some(
          (limit) =>
            Date.parse(time) > Date.parse(limit.time) + 200 &&
            Date.parse(time) < Date.parse(String(limit.data['until'])),
        ),
    );
    expect(inside).toEqual([]);
    job.story.close();
    await expectInvariants(house);
  });

  it('may be a person’s to decide', async () => {
    const steps: Step[] = [
      { say: 'I begin.' },
      { limit: { resets_in_ms: 3_600_000 } },
      { done: 'Finished early.' },
    ];
    const job = await startContract(
      house,
      [spawnOf('tired', { steps }), wait(['tired']), ...ended],
      { name: 'asks first', onLimit: 'ask' },
    );
    await answer(house.client, job, 'is at the usage limit', 'Go on now');
    expect(await job.story.end()).toBe('completed');
    expectAttempts(house, await taskNamed(job, 'tired'), 2);
    job.story.close();
    await expectInvariants(house);
  });
});

describe('a budget', () => {
  inOrder(() => house);

  it('warns at 80 %, stops its agents when it is used up, and lets them go on when it is raised', async () => {
    const spends: Step[] = [
      { spend: { usd: 0.85, output: 900 } },
      { say: 'Most is used.' },
      { spend: { usd: 0.2, output: 100 } },
      { wait_message: { containing: 'Continue' } },
      { spend: { usd: 0.3 } },
      { done: 'It cost what it cost.' },
    ];
    const job = await startContract(
      house,
      [spawnOf('spends', { steps: spends }), wait(['spends']), ...ended],
      { name: 'has a budget', budget: { tokens: null, costMicros: 1_000_000 } },
    );
    const id = job.contract.id;
    await job.story.until('budget.warned');
    const reached = await job.story.until('budget.reached');
    expect(reached.data['words']).toBe('$1.05 of $1.00 (105 %)');
    const why = await house.client.call('whyContract', { params: { id } });
    expect(why).toMatchObject({ moving: false, blockers: [{ kind: 'budget' }] });
    await answer(house.client, job, 'The budget of', 'raise by $1');
    expect(await job.story.end()).toBe('completed');
    const contract = await house.client.call('getContract', { params: { id } });
    // The second attempt of the same conversation is charged its own part.
    expect(contract.usage.costMicros).toBe(1_350_000);
    expect(contract.usage.outputTokens).toBeGreaterThanOrEqual(1_000);
    expect(contract.budget).toMatchObject({ costMicros: 2_050_000, heldAt: null });
    expectAttempts(house, await taskNamed(job, 'spends'), 2);
    job.story.close();
    await expectInvariants(house);
  });
});
