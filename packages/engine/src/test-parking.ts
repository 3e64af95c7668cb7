/** What tests of parking do with a supervisor: let it wait, let time pass, park it, look at what woke it. */
import { zAskInput } from '@makima/contracts/entity/question';
import type { CommandOf } from '@makima/contracts/socket/commands';
import type { Running } from '@makima/contracts/socket/frames';
import { expect } from 'vitest';
import { requeueDue } from './outbox/requeue.ts';
import { answerQuestion } from './question/answer.ts';
import { askQuestion } from './question/ask.ts';
import { parkWaiting } from './supervisor/park.ts';
import { by, runJobs } from './test-engine.ts';
import { taskRow, type Stage } from './test-stage.ts';
import { beginWait } from './wait/begin.ts';

async function received(
  { daemon }: Stage,
  { taskId, attempt }: Running,
  messages: readonly { readonly id: string }[],
): Promise<void> {
  for (const { id: messageId } of messages)
    await daemon.report({
      kind: 'message.received',
      taskId,
      attempt,
      messageId,
      state: 'delivered',
    });
}

/** A supervisor in its first epoch, and a task of its that runs. */
export function parkingOf(scene: Stage, task: CommandOf<'task.start'>) {
  const { t } = scene;
  const supervisor = () => ({ taskId: scene.supervisorTaskId, attempt: 1 });
  const waitForTask = async (): Promise<string> => {
    const input = { taskIds: [task.taskId], mode: 'all' as const };
    return (await beginWait(t.engine, by(scene.supervisor), input)).result.waitId;
  };
  const ask = async (question = 'Which?'): Promise<string> => {
    const input = zAskInput.parse({ question, timeoutSeconds: 300 });
    return (await askQuestion(t.engine, by(scene.supervisor), input)).result.questionId;
  };
  const answer = (id: string) =>
    answerQuestion(t.engine, by(t.owner), { id, response: 'the left one' });
  const turnEnded = () =>
    scene.daemon.report({
      kind: 'task.turn_ended',
      ...supervisor(),
      outcome: 'completed',
      text: '',
      error: null,
      usage: null,
    });

  /** As if it had waited so long already. */
  async function hasWaited(seconds: number): Promise<void> {
    await t.database.sql`
    update supervisors set updated_at = clock() - make_interval(secs => ${seconds}) where task_id = ${scene.supervisorTaskId}`;
  }
  const sweep = () => parkWaiting(t.engine, { limit: 10 });
  /** It is asked to park, and has. */
  async function park(): Promise<void> {
    await hasWaited(121);
    expect(await sweep()).toBe(1);
    await scene.daemon.ended(supervisor(), { outcome: 'parked' });
  }
  /** The next start of the supervisor, with what it reads first. */
  async function woken(): Promise<{ start: CommandOf<'task.start'>; digest: string }> {
    await runJobs(t);
    const starts = await scene.daemon.pullOnly('task.start');
    const start = starts.find(({ taskId }) => taskId === scene.supervisorTaskId);
    if (start === undefined) throw new Error('it was not started');
    const digests = start.messages.filter(({ text }) => text.includes('=== WAKE ==='));
    expect(digests).toEqual([start.messages[0]]);
    return { start, digest: digests[0]?.text ?? '' };
  }
  /** Its agent runs and has read everything. */
  async function reads(start: CommandOf<'task.start'>): Promise<void> {
    await scene.daemon.started(start);
    await received(scene, start, start.messages);
  }
  /** It reads what it was told meanwhile; answers the words. */
  async function hears(): Promise<string[]> {
    const told = (await scene.daemon.pullOnly('task.message')).map(({ message }) => message);
    await received(scene, supervisor(), told);
    return told.map(({ text }) => text);
  }
  async function sleeps(): Promise<void> {
    await runJobs(t);
    await requeueDue(t.engine, { olderThanMs: 0 });
    await runJobs(t);
    expect(await taskRow(t, scene.supervisorTaskId)).toMatchObject({
      status: 'paused',
      session: 'parked',
      currentAttempt: 1,
    });
  }
  return {
    supervisor,
    waitForTask,
    ask,
    answer,
    turnEnded,
    hasWaited,
    sweep,
    park,
    woken,
    reads,
    hears,
    sleeps,
  };
}
