/** A supervisor whose turn is over: always woken by what it waits for, told of what ends, never left in silence. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { zAskInput } from '@makima/contracts/entity/question';
import type { ReportOf } from '@makima/contracts/socket/reports';
import { answerQuestion } from '../question/answer.ts';
import { askQuestion } from '../question/ask.ts';
import { listQuestions } from '../question/get.ts';
import { inbox } from '../question/inbox.ts';
import { abandonWait, beginWait } from '../wait/begin.ts';
import { by, openTestEngine, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { running, stage, type Stage } from '../test-stage.ts';
import { completeDeliverable } from '../contract/complete-deliverable.ts';
import { supervisorStatus } from './status.ts';
import { whyContract } from '../contract/why.ts';

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

/** Messages that the supervisor's agent is given, read at once. */
async function told(): Promise<string[]> {
  await runJobs(t);
  const commands = await scene.daemon.pullOnly('task.message');
  const mine = commands.filter((command) => command.taskId === scene.supervisorTaskId);
  for (const { message } of mine) {
    const receipt = {
      kind: 'message.received',
      messageId: message.id,
      state: 'delivered',
    } as const;
    await scene.daemon.report({ ...receipt, taskId: scene.supervisorTaskId, attempt: 1 });
  }
  return mine.map(({ message }) => message.text);
}

/** What the inbox names to get it going again. */
async function standing(): Promise<string[]> {
  const { items } = await inbox(t.engine, t.owner);
  return items
    .filter(({ kind, contractId }) => kind === 'standstill' && contractId === scene.contract.id)
    .map(({ act }) => act);
}

const state = async (): Promise<string> =>
  (await supervisorStatus(t.engine, t.owner, { id: scene.contract.id })).state;

describe('a turn that ends', () => {
  it('with a wait open is woken by its end', async () => {
    const task = await running(scene, { name: 'builds' });
    await beginWait(t.engine, by(scene.supervisor), { taskIds: [task.taskId], mode: 'all' });
    await turnEnded();
    expect(await state()).toBe('idle');
    expect(await told()).toEqual([]);
    await scene.daemon.ended(task);
    const [digest, ...others] = await told();
    expect(digest).toContain('=== WAKE ===');
    expect(digest).toContain('builds');
    expect(others).toEqual([]);
  });

  it('is told of a task that a person waited for too', async () => {
    const task = await running(scene, { name: 'builds' });
    await turnEnded();
    const wait = await beginWait(t.engine, by(t.owner), { taskIds: [task.taskId], mode: 'all' });
    await scene.daemon.ended(task);
    expect(await told()).toEqual([expect.stringContaining('builds')]);
    await abandonWait(t.engine, t.owner, { waitId: wait.result.waitId });
  });

  it('with a question open hears of other tasks, and of the answer', async () => {
    const task = await running(scene, { name: 'builds' });
    const asked = await askQuestion(
      t.engine,
      by(scene.supervisor),
      zAskInput.parse({ question: 'Which?', timeoutSeconds: 0 }),
    );
    await turnEnded();
    expect(await state()).toBe('idle');
    await scene.daemon.ended(task);
    expect(await told()).toEqual([expect.stringContaining('builds')]);
    await t.database
      .sql`update questions set held_until = null where id = ${asked.result.questionId}`;
    await answerQuestion(t.engine, by(t.owner), { id: asked.result.questionId, response: 'this' });
    expect(await told()).toEqual([expect.stringContaining('Answer: this')]);
  });

  it('with nothing under way is nudged twice, then a person is asked', async () => {
    await turnEnded({ outcome: 'failed', error: 'no such tool' });
    const [first] = await told();
    expect(first).toContain('plan-document');
    expect(first).toContain('no such tool');
    await turnEnded();
    // Until the nudge is on its way nobody else would tell it.
    expect(await standing()).toEqual([
      `makima tasks message ${scene.supervisorTaskId} "<what to do next>"`,
    ]);
    expect(await told()).toEqual([expect.stringContaining('[Nudge]')]);
    await turnEnded();
    expect(await told()).toEqual([]);
    expect(await standing()).toEqual([]);
    const about = { status: 'open', contractId: scene.contract.id, limit: 5 } as const;
    const { items } = await listQuestions(t.engine, t.owner, about);
    expect(items).toEqual([
      expect.objectContaining({
        question: expect.stringMatching(
          /has stopped in plan\. Its last failure: no such tool\. What should/,
        ),
        context: 'no such tool',
      }),
    ]);
    const why = await whyContract(t.engine, t.owner, { id: scene.contract.id });
    expect(why.moving).toBe(false);
    expect(why.summary).toContain('no such tool');
    await answerQuestion(t.engine, by(t.owner), {
      id: items[0]?.id ?? '',
      response: 'write the plan',
    });
    expect(await told()).toEqual([expect.stringContaining('write the plan')]);
    await turnEnded({ outcome: 'failed', error: 'no such file' });
    await told();
    const [again] = (await listQuestions(t.engine, t.owner, about)).items;
    expect(again?.question).toContain('in plan (asked 2 times). Its last failure: no such file.');
    await answerQuestion(t.engine, by(t.owner), { id: again?.id ?? '', response: 'go on' });
    expect(await told()).toEqual([expect.stringContaining('go on')]);
  });

  it('and that waits again from its next turn is waiting, not idle', async () => {
    const task = await running(scene, { name: 'builds' });
    await turnEnded();
    await beginWait(t.engine, by(scene.supervisor), { taskIds: [task.taskId], mode: 'all' });
    expect(await state()).toBe('waiting_for_tasks');
    await scene.daemon.ended(task);
    expect(await told()).toEqual([]);
  });
});

describe('a request that a person sent back', () => {
  it('is not put to them again until what it shows has changed', async () => {
    const id = scene.contract.id;
    const about = { status: 'open', contractId: id, limit: 5 } as const;
    const word = [{ kind: 'word' as const, text: 'seen' }];
    const done = { id, deliverableId: 'plan-document', evidence: word };
    await completeDeliverable(t.engine, by(t.owner), done);
    await runJobs(t);
    const [asked] = (await listQuestions(t.engine, t.owner, about)).items;
    await answerQuestion(t.engine, by(t.owner), { id: asked?.id ?? '', response: 'Send back' });
    await runJobs(t);
    expect((await listQuestions(t.engine, t.owner, about)).items).toEqual([]);
    const better = [{ kind: 'word' as const, text: 'seen again, better' }];
    await completeDeliverable(t.engine, by(t.owner), { ...done, evidence: better });
    await runJobs(t);
    const again = (await listQuestions(t.engine, t.owner, about)).items;
    expect(again).toEqual([expect.objectContaining({ questionType: 'phase_confirmation' })]);
    expect(again[0]?.id).not.toBe(asked?.id);
  });
});
