/** Waits: any or all, taken up again by a later epoch, and a time of their own that is told once. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ReportOf } from '@makima/contracts/socket/reports';
import { supervisorStatus } from '../supervisor/status.ts';
import {
  by,
  eventsOf,
  openTestEngine,
  refusal,
  runJobs,
  stranger,
  type TestEngine,
} from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { running, spawned, stage, type Stage } from '../test-stage.ts';
import { abandonWait, beginWait, readWait, type WaitInput } from './begin.ts';
import { expireWaits } from './expire.ts';

let t: TestEngine;
let scene: Stage;
beforeAll(async () => {
  t = await openTestEngine();
});
beforeEach(async () => {
  scene = await stage(t);
});
afterEach(async () => {
  expect(await brokenInvariants(t)).toEqual({});
});
afterAll(() => t.close());

const begin = async (input: WaitInput): Promise<string> =>
  (await beginWait(t.engine, by(scene.supervisor), input)).result.waitId;
const read = (waitId: string) => readWait(t.engine, scene.supervisor, { waitId });

/** The time of this wait is over, and the sweep has looked. */
async function over(waitId: string): Promise<void> {
  await t.database.sql`update waits set until = clock() - interval '1 s' where id = ${waitId}`;
  await expireWaits(t.engine, { limit: 100 });
  await expireWaits(t.engine, { limit: 100 });
}

const turnEnded = (over: Partial<ReportOf<'task.turn_ended'>> = {}): Promise<number> =>
  scene.daemon.report({
    kind: 'task.turn_ended',
    taskId: scene.supervisorTaskId,
    attempt: 1,
    outcome: 'completed',
    text: '',
    error: null,
    usage: null,
    ...over,
  });

/** Messages that the supervisor's agent was given since the last time. */
async function told(): Promise<string[]> {
  await runJobs(t);
  return (await scene.daemon.pullOnly('task.message'))
    .filter((command) => command.taskId === scene.supervisorTaskId)
    .map(({ message }) => message.text);
}

const activity = async () => {
  const status = await supervisorStatus(t.engine, t.owner, { id: scene.contract.id });
  return { state: status.state, words: status.current_activity };
};

describe('a wait', () => {
  it('for any ends with the first, for all with the last, and says who is there', async () => {
    const [a, b] = [await running(scene, { name: 'a' }), await running(scene, { name: 'b' })];
    const taskIds = [a.taskId, b.taskId];
    const any = await begin({ taskIds, mode: 'any' });
    const all = await begin({ taskIds, mode: 'all' });
    expect(await read(any)).toMatchObject({ satisfied: false, timedOut: false, until: null });
    await scene.daemon.ended(b, { summary: 'b is made' });
    expect(await read(any)).toMatchObject({
      satisfied: true,
      tasks: [
        { name: 'a', completed: false },
        { name: 'b', completed: true, outputSummary: 'b is made' },
      ],
    });
    expect((await read(all)).satisfied).toBe(false);
    await scene.daemon.ended(a, { outcome: 'failed', error: 'no way' });
    expect(await read(all)).toMatchObject({
      satisfied: true,
      tasks: [{ status: 'failed', errorMessage: 'no way' }, { status: 'done' }],
    });
  });

  it('is over at once when what it waits for is', async () => {
    const task = await running(scene);
    await scene.daemon.ended(task);
    const waitId = await begin({ taskIds: [task.taskId], mode: 'all', expiresInSeconds: 60 });
    expect((await read(waitId)).satisfied).toBe(true);
    expect((await activity()).state).toBe('working');
  });

  it('is taken up again by the next epoch', async () => {
    const task = await running(scene);
    const waitId = await begin({ taskIds: [task.taskId], mode: 'all', expiresInSeconds: 600 });
    await scene.daemon.ended(
      { taskId: scene.supervisorTaskId, attempt: 1 },
      { outcome: 'crashed' },
    );
    await runJobs(t);
    const [next] = await scene.daemon.pullOnly('task.start');
    if (next === undefined) throw new Error('the supervisor was not restored');
    await scene.daemon.started(next);
    const reborn = await scene.daemon.agent(next);
    const again = await readWait(t.engine, reborn, { waitId });
    expect(again).toMatchObject({ satisfied: false, until: expect.any(String) });
    await scene.daemon.ended(task);
    expect((await readWait(t.engine, reborn, { waitId })).satisfied).toBe(true);
  });

  it('is nobody else’s, and for nothing else', async () => {
    const task = await running(scene);
    const waitId = await begin({ taskIds: [task.taskId], mode: 'all' });
    const other = await stage(t);
    const foreign = { taskIds: [(await spawned(other)).id], mode: 'all' } as const;
    const refused = async (work: Promise<unknown>) => (await refusal(work)).code;
    expect(await refused(beginWait(t.engine, by(scene.supervisor), foreign))).toBe('NOT_FOUND');
    expect(await refused(readWait(t.engine, other.supervisor, { waitId }))).toBe('NOT_FOUND');
    const alien = await stranger(t);
    expect(await refused(readWait(t.engine, alien, { waitId }))).toBe('NOT_FOUND');
    expect(await refused(abandonWait(t.engine, t.owner, { waitId }))).toBe('NOT_FOUND');
    const itself = { taskIds: [scene.supervisorTaskId], mode: 'all' } as const;
    expect(await refused(begin(itself))).toBe('VALIDATION_FAILED');
    const worker = await scene.daemon.agent(task);
    const mine = { taskIds: [task.taskId], mode: 'all' } as const;
    expect(await refused(beginWait(t.engine, by(worker), mine))).toBe('NOT_SUPERVISOR');
  });
});

describe('a waiter that goes on without holding', () => {
  const digests = async () => (await told()).filter((text) => text.includes('=== WAKE ==='));

  it('is told once when its turn is over, however many of its waits end together', async () => {
    const first = await running(scene, { name: 'first' });
    const second = await running(scene, { name: 'second' });
    const waits = [
      await begin({ taskIds: [first.taskId], mode: 'any' }),
      await begin({ taskIds: [first.taskId, second.taskId], mode: 'any' }),
    ];
    await turnEnded();
    await scene.daemon.ended(first);
    expect(await digests()).toHaveLength(1);
    for (const waitId of waits) expect((await read(waitId)).satisfied).toBe(true);
  });

  it('that asks for the same again gets the same wait, unless it has a time or is over', async () => {
    const task = await running(scene);
    const other = await running(scene);
    const both = [task.taskId, other.taskId];
    const waitId = await begin({ taskIds: both, mode: 'all' });
    expect(await begin({ taskIds: both.toReversed(), mode: 'all' })).toBe(waitId);
    expect(await begin({ taskIds: both, mode: 'any' })).not.toBe(waitId);
    expect(await begin({ taskIds: both, mode: 'all', expiresInSeconds: 60 })).not.toBe(waitId);
    const asPerson = await beginWait(t.engine, by(t.owner), { taskIds: both, mode: 'all' });
    expect(asPerson.result.waitId).not.toBe(waitId);
    await scene.daemon.ended(task);
    await scene.daemon.ended(other);
    expect(await begin({ taskIds: both, mode: 'all' })).not.toBe(waitId);
  });

  it('holds a bounded number of waits', async () => {
    const task = await running(scene);
    const max = t.engine.limits.openWaitsPerTaskMax;
    const wait = { taskIds: [task.taskId], mode: 'all' as const };
    for (let i = 0; i < max; i += 1) await begin({ ...wait, expiresInSeconds: 60 + i });
    const over = await refusal(
      beginWait(t.engine, by(scene.supervisor), { ...wait, expiresInSeconds: 9 }),
    );
    expect(over).toMatchObject({ code: 'LIMIT_EXCEEDED', details: { max, actual: max } });
    await scene.daemon.ended(task);
    await begin(wait);
  });
});

describe('the time of a wait', () => {
  it('ends it once, and is read by whoever holds for it, without a further word', async () => {
    const task = await running(scene);
    const waitId = await begin({ taskIds: [task.taskId], mode: 'all', expiresInSeconds: 60 });
    expect(await expireWaits(t.engine, { limit: 100 })).toBe(0);
    await over(waitId);
    expect(await read(waitId)).toMatchObject({ satisfied: false, timedOut: true });
    expect(await activity()).toEqual({
      state: 'working',
      words: 'Woken: the time of its wait is over',
    });
    const events = (await eventsOf(t, scene.contract.id)).map(({ type }) => type);
    expect(events.filter((type) => type === 'wait.timed_out')).toHaveLength(1);
    await turnEnded();
    expect(await told()).toEqual([]);
    await scene.daemon.ended(task);
    expect((await read(waitId)).timedOut).toBe(true);
  });

  it('comes as one message to a waiter whose turn is over', async () => {
    const task = await running(scene, { name: 'slow' });
    const waitId = await begin({ taskIds: [task.taskId], mode: 'all', expiresInSeconds: 60 });
    await turnEnded();
    expect(await told()).toEqual([]);
    await over(waitId);
    const [digest, ...more] = await told();
    expect(digest).toContain('The time that you gave your wait is over.');
    expect(digest).toContain('slow');
    expect(more).toEqual([]);
    await turnEnded();
    expect((await told()).filter((text) => text.includes('=== WAKE ==='))).toEqual([]);
  });

  it('is told at the end of the turn to one that was busy and did not look', async () => {
    const task = await running(scene);
    await over(await begin({ taskIds: [task.taskId], mode: 'all', expiresInSeconds: 60 }));
    expect(await told()).toEqual([]);
    await turnEnded();
    expect(await told()).toEqual([expect.stringContaining('your wait is over')]);
    await turnEnded();
    expect(await told()).toEqual([]);
  });

  it('wakes a parked waiter with it', async () => {
    const task = await running(scene);
    const waitId = await begin({ taskIds: [task.taskId], mode: 'all', expiresInSeconds: 60 });
    await scene.daemon.ended({ taskId: scene.supervisorTaskId, attempt: 1 }, { outcome: 'parked' });
    expect(await runJobs(t)).not.toHaveProperty('wake-supervisor');
    await over(waitId);
    await runJobs(t);
    const [start] = await scene.daemon.pullOnly('task.start');
    expect(start).toMatchObject({ taskId: scene.supervisorTaskId, attempt: 2 });
    expect(start?.messages.map(({ text }) => text)).toEqual([
      expect.stringContaining('The time that you gave your wait is over.'),
    ]);
  });

  it('that comes with its end is the end', async () => {
    const task = await running(scene);
    const waitId = await begin({ taskIds: [task.taskId], mode: 'all', expiresInSeconds: 60 });
    await scene.daemon.ended(task);
    await over(waitId);
    expect(await read(waitId)).toMatchObject({ satisfied: true, timedOut: false });
  });
});
