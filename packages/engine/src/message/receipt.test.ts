/** What became of a message: its sender reads it at every step, and one that nobody will read says so. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ReportOf } from '@makima/contracts/socket/reports';
import type { CommandOf } from '@makima/contracts/socket/commands';
import { cancelTask } from '../task/cancel.ts';
import { messageTask } from '../task/message.ts';
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
import { done, running, spawned, stage, type Stage } from '../test-stage.ts';
import { readReceipt } from './receipt.ts';

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

type Mode = 'queue' | 'steer' | 'interrupt';
const say = async (id: string, mode: Mode = 'queue') =>
  (await messageTask(t.engine, by(scene.supervisor), { id, message: 'Hello', mode })).result;
const receipt = (messageId: string) => readReceipt(t.engine, scene.supervisor, { id: messageId });
const hears = (
  task: CommandOf<'task.start'>,
  messageId: string,
  state: ReportOf<'message.received'>['state'],
) =>
  scene.daemon.report({
    kind: 'message.received',
    taskId: task.taskId,
    attempt: task.attempt,
    messageId,
    state,
  });

describe('a receipt', () => {
  it.each(['queue', 'steer', 'interrupt'] as const)('of %s follows the message', async (mode) => {
    const task = await running(scene);
    const sent = await say(task.taskId, mode);
    expect(sent).toMatchObject({ taskId: task.taskId, mode, state: 'pending', attempt: 1 });
    const [command] = await scene.daemon.pullOnly('task.message');
    expect(command?.message).toMatchObject({ id: sent.messageId, mode });
    await hears(task, sent.messageId, 'queued');
    expect((await receipt(sent.messageId)).state).toBe('queued');
    await hears(task, sent.messageId, 'delivered');
    await hears(task, sent.messageId, 'done');
    const read = await receipt(sent.messageId);
    expect(read).toMatchObject({ state: 'delivered', deliveredAt: expect.any(String) });
    expect(await readReceipt(t.engine, t.owner, { id: sent.messageId })).toEqual(read);
    expect(t.hints.filter(({ channel }) => channel.endsWith(sent.messageId))).toHaveLength(2);
  });

  it('is refused when the agent does not take it', async () => {
    const task = await running(scene);
    const { messageId } = await say(task.taskId, 'steer');
    await hears(task, messageId, 'refused');
    expect((await receipt(messageId)).state).toBe('refused');
    const events = (await eventsOf(t, scene.contract.id)).filter(
      (e) => e.type === 'message.refused',
    );
    expect(events.map(({ data }) => data['messageId'])).toEqual([messageId]);
  });

  it('waits with a task that has not begun, and goes with its attempt', async () => {
    const first = await running(scene);
    const waits = await spawned(scene, { name: 'waits', needs: [first.taskId] });
    const { messageId } = await say(waits.id);
    expect(await receipt(messageId)).toMatchObject({ state: 'pending', attempt: null });
    await scene.daemon.ended(first);
    await runJobs(t);
    expect(await receipt(messageId)).toMatchObject({ state: 'pending', attempt: 1 });
  });

  it.each(['done', 'failed', 'cancelled'] as const)(
    'of a task that is %s before it read is refused',
    async (end) => {
      const task = await running(scene);
      const read = await say(task.taskId);
      await hears(task, read.messageId, 'delivered');
      const unread = [await say(task.taskId), await say(task.taskId, 'interrupt')];
      if (end === 'cancelled')
        await cancelTask(t.engine, by(scene.supervisor), { id: task.taskId });
      else await scene.daemon.ended(task, { outcome: end, error: end === 'failed' ? 'no' : null });
      expect((await receipt(read.messageId)).state).toBe('delivered');
      for (const { messageId } of unread) expect((await receipt(messageId)).state).toBe('refused');
    },
  );

  it('of one that is interrupted waits for its next attempt', async () => {
    const task = await running(scene);
    const { messageId } = await say(task.taskId);
    await scene.daemon.ended(task, { outcome: 'crashed' });
    expect(await receipt(messageId)).toMatchObject({ state: 'pending', attempt: 1 });
    await runJobs(t);
    expect(await receipt(messageId)).toMatchObject({ state: 'pending', attempt: 2 });
  });

  it('is nobody else’s to read, and an ended task is told nothing', async () => {
    const task = await running(scene);
    const { messageId } = await say(task.taskId);
    const other = await stage(t);
    const code = async (work: Promise<unknown>) => (await refusal(work)).code;
    expect(await code(readReceipt(t.engine, other.supervisor, { id: messageId }))).toBe(
      'NOT_FOUND',
    );
    expect(await code(readReceipt(t.engine, await stranger(t), { id: messageId }))).toBe(
      'NOT_FOUND',
    );
    expect(await code(receipt(task.taskId))).toBe('NOT_FOUND');
    const worker = await scene.daemon.agent(task);
    expect(await code(readReceipt(t.engine, worker, { id: messageId }))).toBe('NOT_SUPERVISOR');
    const ended = await done(scene, { name: 'ended' });
    expect(await code(say(ended.taskId))).toBe('INVALID_TRANSITION');
  });
});

it('is no "not found" when the store is away in the middle of the look', async () => {
  const task = await running(scene);
  const { messageId } = await say(task.taskId);
  let statements = 0;
  // The message is found; then the connection is lost.
  const sql = new Proxy(t.engine.database.sql, {
    apply(target, self, args) {
      statements += 1;
      if (statements > 1) return Promise.reject(new Error('write CONNECTION_CLOSED 127.0.0.1:1'));
      return Reflect.apply(target, self, args) as unknown;
    },
  });
  const engine = { ...t.engine, database: { ...t.engine.database, sql } };
  const look = readReceipt(engine, scene.supervisor, { id: messageId });
  await expect(look).rejects.toThrow('CONNECTION_CLOSED');
  expect(statements).toBeGreaterThan(1);
});

it('a message and the end of its task at the same moment: it is refused, by whichever way', async () => {
  for (let round = 0; round < 10; round += 1) {
    const task = await running(scene, { name: `ends ${round}` });
    const [sent] = await Promise.allSettled([say(task.taskId), scene.daemon.ended(task)]);
    if (sent.status === 'rejected') {
      expect(sent.reason).toMatchObject({ code: 'INVALID_TRANSITION' });
      continue;
    }
    expect((await receipt(sent.value.messageId)).state).toBe('refused');
  }
});
