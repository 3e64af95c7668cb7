/**
 * An answer that comes when its asker waits no more reaches it exactly once, wherever it is: in the digest of one
 * that rests, else as a message.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { zAskInput } from '@makima/contracts/entity/question';
import { answerText } from '@makima/domain/question';
import { answerQuestion } from './answer.ts';
import { askQuestion } from './ask.ts';
import { readAnswer } from './get.ts';
import { deliverLateAnswers } from './redeliver-answers.ts';
import { TestDaemon } from '../test-daemon.ts';
import { by, openTestEngine, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { stage, type Stage } from '../test-stage.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine();
  daemon = await TestDaemon.join(t, { slots: 100 });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

const words = answerText('Which colour?', 'green');
const supervisorOf = (scene: Stage, attempt = 1) => ({ taskId: scene.supervisorTaskId, attempt });

/** The next attempt of the supervisor runs; what its start command gave it to read. */
async function startsAgain(scene: Stage): Promise<string[]> {
  await runJobs(t);
  const { taskId } = supervisorOf(scene);
  const start = (await daemon.pullOnly('task.start')).findLast((c) => c.taskId === taskId);
  if (start === undefined) throw new Error('it was not started again');
  await daemon.started(start);
  return start.messages.map(({ text }) => text);
}

it.each<[string, (scene: Stage, answer: () => Promise<unknown>) => Promise<string[]>]>([
  [
    'stopped waiting',
    async (_scene, answer) => {
      await answer();
      return (await daemon.pullOnly('task.message')).map(({ message }) => message.text);
    },
  ],
  [
    'died before the answer came',
    async (scene, answer) => {
      await daemon.ended(supervisorOf(scene), { outcome: 'crashed', error: 'x' });
      await answer();
      return startsAgain(scene);
    },
  ],
  [
    'was restored before the answer came',
    async (scene, answer) => {
      await daemon.ended(supervisorOf(scene), { outcome: 'crashed', error: 'x' });
      const before = await startsAgain(scene);
      expect(before).not.toContain(words);
      await answer();
      return (await daemon.pullOnly('task.message')).map(({ message }) => message.text);
    },
  ],
])('by an asker that %s', async (_, play) => {
  const scene = await stage(t, { daemon });
  const input = zAskInput.parse({ question: 'Which colour?' });
  const { result } = await askQuestion(t.engine, by(scene.supervisor), input);
  await readAnswer(t.engine, scene.supervisor, { questionId: result.questionId, holdMs: 0 });
  await daemon.pull();
  const read = await play(scene, async () => {
    await answerQuestion(t.engine, by(t.owner), { id: result.questionId, response: 'green' });
  });
  expect(read.filter((text) => text === words)).toHaveLength(1);
  // Neither the sweep nor a further look at what waits sends it again.
  await deliverLateAnswers(t.engine, { limit: 100 });
  await runJobs(t);
  const messages = await t.database.sql`
    select 1 from agent_messages where task_id = ${scene.supervisorTaskId} and source = 'answer'`;
  expect(messages).toHaveLength(1);
  expect((await daemon.pullOnly('task.message')).map(({ message }) => message.text)).not.toContain(
    words,
  );
});

it('by an asker that is parked: in the digest that wakes it', async () => {
  const scene = await stage(t, { daemon });
  const input = zAskInput.parse({ question: 'Which colour?' });
  const { result } = await askQuestion(t.engine, by(scene.supervisor), input);
  await readAnswer(t.engine, scene.supervisor, { questionId: result.questionId, holdMs: 0 });
  await daemon.ended(supervisorOf(scene), { outcome: 'parked' });
  await daemon.pull();
  await answerQuestion(t.engine, by(t.owner), { id: result.questionId, response: 'green' });
  await deliverLateAnswers(t.engine, { limit: 100 });
  const [digest, ...more] = await startsAgain(scene);
  expect(digest).toContain('=== WAKE ===');
  expect(digest?.split('green')).toHaveLength(2);
  expect(more).toEqual([]);
  await deliverLateAnswers(t.engine, { limit: 100 });
  await runJobs(t);
  expect(await daemon.pullOnly('task.message')).toEqual([]);
});
