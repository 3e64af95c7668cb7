/** Mail to agents: bounded while it waits, and never larger than what a daemon reads. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wireLimits } from '@makima/contracts/limits';
import { appendCommand } from '@makima/db/repo/daemons';
import { messageTask } from '../task/message.ts';
import { act } from '../context.ts';
import { by, openTestEngine, refusal, runJobs, type TestEngine } from '../test-engine.ts';
import { running, spawned, stage, type Stage } from '../test-stage.ts';
import { sendMessage } from './send.ts';

let t: TestEngine;
let scene: Stage;
beforeAll(async () => {
  t = await openTestEngine();
  scene = await stage(t, { slots: 50 });
});
afterAll(() => t.close());

const say = (id: string, message: string) =>
  messageTask(t.engine, by(scene.supervisor), { id, message, mode: 'queue' });

describe('what waits for an agent', () => {
  it('is bounded by number, but for what makima itself says', async () => {
    const first = await running(scene);
    const waits = await spawned(scene, { name: 'waits', needs: [first.taskId] });
    const most = t.engine.limits.undeliveredMessagesPerTaskMax;
    for (let i = 0; i < most; i += 1) await say(waits.id, `word ${i}`);
    expect((await refusal(say(waits.id, 'one more'))).code).toBe('LIMIT_EXCEEDED');
    await act(t.engine, { caller: t.system }, (a) =>
      sendMessage(a, {
        taskId: waits.id,
        text: 'notice',
        mode: 'steer',
        source: 'notice',
        sourceId: null,
      }),
    );
  });

  it('is bounded by bytes, and reaches it in order whatever its size', async () => {
    const first = await running(scene);
    const waits = await spawned(scene, { name: 'large', needs: [first.taskId] });
    const text = '\u0001'.repeat(wireLimits.messageChars);
    for (let i = 0; i < 16; i += 1) await say(waits.id, text);
    expect((await refusal(say(waits.id, 'x'))).code).toBe('LIMIT_EXCEEDED');
    await scene.daemon.ended(first);
    await runJobs(t);
    const told = (await scene.daemon.pull()).filter((c) => 'taskId' in c && c.taskId === waits.id);
    const [start, ...rest] = told;
    expect(start?.kind).toBe('task.start');
    expect(JSON.stringify(start).length).toBeLessThan(1_048_576);
    const ids = [
      ...(start?.kind === 'task.start' ? start.messages : []).map((m) => m.id),
      ...rest.map((c) => (c.kind === 'task.message' ? c.message.id : c.kind)),
    ];
    expect(ids).toHaveLength(16);
    expect(ids).toEqual(ids.toSorted());
  });
});

describe('a command that is larger than a daemon reads', () => {
  it('is set aside in the audit and lets the others pass', async () => {
    const task = await running(scene);
    const { taskId, attempt } = task;
    const append = (text: string) =>
      act(t.engine, { caller: t.system }, (a) =>
        appendCommand(a.tx, {
          ownerId: a.ownerId,
          daemonId: scene.daemon.id,
          taskId,
          attempt,
          command: {
            kind: 'task.message',
            taskId,
            attempt,
            message: { id: taskId, text, mode: 'queue' },
          },
        }),
      );
    const { result: seq } = await append('x'.repeat(wireLimits.commandBytes));
    await append('small');
    const told = await scene.daemon.pullOnly('task.message');
    expect(told.map((c) => c.message.text)).toEqual(['small']);
    const rows = await t.database.sql`
      select 1 from audit where action = 'command.set_aside' and (detail ->> 'seq')::int = ${seq}`;
    expect(rows).toHaveLength(1);
  });
});
