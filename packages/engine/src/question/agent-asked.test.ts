/** What agents ask by their own means, questions and permissions: one inbox, one row, one answer each time. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReportOf } from '@makima/contracts/socket/reports';
import { answerText } from '@makima/domain/question';
import { changeStatus } from '../contract/change-status.ts';
import { cancelTask } from '../task/cancel.ts';
import { answerQuestion } from './answer.ts';
import { getQuestion, listQuestions } from './get.ts';
import { inbox } from './inbox.ts';
import { TestDaemon } from '../test-daemon.ts';
import { by, eventsOf, openTestEngine, refusal, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { contractRow, running, stage, type Stage } from '../test-stage.ts';

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

type Asked = ReportOf<'agent.asked'>;
const question: Omit<Asked, 'taskId' | 'attempt'> = {
  kind: 'agent.asked',
  requestId: 'toolu_1~abc',
  questionType: 'general',
  question: 'Which database?',
  context: null,
  choices: [],
  multiSelect: false,
};
const permission: Omit<Asked, 'taskId' | 'attempt'> = {
  ...question,
  questionType: 'permission',
  question: 'May the agent use Bash?',
  choices: ['Allow', 'Deny'],
  tool: { name: 'Bash', input: { command: 'rm -r build' } },
};

const answer = (id: string, response: string) =>
  answerQuestion(t.engine, by(t.owner), { id, response });
const openOf = async (scene: Stage) =>
  (
    await listQuestions(t.engine, t.owner, {
      status: 'open',
      contractId: scene.contract.id,
      limit: 9,
    })
  ).items;
const idOf = async (scene: Stage): Promise<string> => (await openOf(scene))[0]?.id ?? '';
const answers = async () =>
  (await daemon.pullOnly('task.message')).map(({ attempt, message }) => ({ attempt, ...message }));

/** The task's agent dies, and its next attempt runs. */
async function again(task: {
  taskId: string;
  attempt: number;
}): Promise<{ taskId: string; attempt: number }> {
  await daemon.ended(task, { outcome: 'crashed', error: 'x' });
  await runJobs(t);
  const start = (await daemon.pullOnly('task.start')).find((c) => c.taskId === task.taskId);
  if (start === undefined) throw new Error('no further attempt');
  await daemon.started(start);
  return start;
}

describe('a question of an agent’s own tool', () => {
  it('is one row however often it is reported, and its answer names it', async () => {
    const scene = await stage(t, { daemon });
    const { taskId, attempt } = await running(scene, { name: 'asks' });
    await daemon.report({ ...question, taskId, attempt });
    await daemon.report({ ...question, taskId, attempt }, { ...question, taskId, attempt });
    expect(await openOf(scene)).toMatchObject([{ askedBy: 'asks', questionType: 'general' }]);
    await daemon.pull();
    await answer(await idOf(scene), 'pg');
    expect(await answers()).toMatchObject([
      { requestId: question.requestId, answer: 'pg', text: answerText('Which database?', 'pg') },
    ]);
  });

  it('is answered again when a later attempt asks it again', async () => {
    const scene = await stage(t, { daemon });
    const task = await running(scene);
    const { taskId } = task;
    await daemon.report({ ...question, taskId, attempt: 1 });
    await answer(await idOf(scene), 'pg');
    const [first] = await daemon.pullOnly('task.message');
    const messageId = first?.message.id ?? '';
    await daemon.report({ kind: 'message.received', taskId, attempt: 1, messageId, state: 'done' });
    const next = await again(task);
    await daemon.report({ ...question, taskId, attempt: next.attempt });
    expect(await answers()).toMatchObject([
      { attempt: 2, answer: 'pg', requestId: question.requestId },
    ]);
  });

  it('answered while its agent is dead goes to the next one in words that stand alone, once', async () => {
    const scene = await stage(t, { daemon });
    const task = await running(scene);
    const { taskId } = task;
    await daemon.report({ ...question, taskId, attempt: 1 });
    const id = await idOf(scene);
    await daemon.ended(task, { outcome: 'crashed', error: 'x' });
    await answer(id, 'pg');
    await runJobs(t);
    const start = (await daemon.pullOnly('task.start')).find((c) => c.taskId === taskId);
    expect(start?.messages.filter(({ requestId }) => requestId !== undefined)).toMatchObject([
      { text: answerText('Which database?', 'pg'), answer: 'pg' },
    ]);
    await daemon.started(start ?? task);
    expect(await answers()).toEqual([]);
  });

  it('is withdrawn when the agent breaks off, and open again under its id when it asks again', async () => {
    const scene = await stage(t, { daemon });
    const { taskId, attempt } = await running(scene);
    await daemon.report({ ...question, taskId, attempt });
    const id = await idOf(scene);
    const withdrew = {
      kind: 'agent.withdrew' as const,
      taskId,
      attempt,
      requestId: question.requestId,
    };
    await daemon.report(withdrew, withdrew);
    expect((await getQuestion(t.engine, t.owner, { id })).status).toBe('cancelled');
    expect(await contractRow(t, scene.contract.id)).toMatchObject({ status: 'active' });
    expect((await refusal(answer(id, 'pg'))).code).toBe('CONFIRMATION_VOID');
    await daemon.report({ ...question, taskId, attempt });
    expect((await openOf(scene)).map((one) => one.id)).toEqual([id]);
    expect((await contractRow(t, scene.contract.id)).status).toBe('waiting_for_input');
    await daemon.pull();
    await answer(id, 'pg');
    expect(await answers()).toHaveLength(1);
    // What is answered is no longer the agent's to withdraw.
    await daemon.report(withdrew);
    expect((await getQuestion(t.engine, t.owner, { id })).status).toBe('answered');
    const told = (await eventsOf(t, scene.contract.id)).filter(
      (e) => e.type === 'question.cancelled',
    );
    expect(told).toMatchObject([
      { data: { questionId: id, reason: 'the agent that asked broke off' } },
    ]);
  });

  it('of an attempt that is over asks and withdraws nothing', async () => {
    const scene = await stage(t, { daemon });
    const task = await running(scene);
    const { taskId } = task;
    await daemon.report({ ...question, taskId, attempt: 1 });
    const next = await again(task);
    await daemon.report({
      kind: 'agent.withdrew',
      taskId,
      attempt: 1,
      requestId: question.requestId,
    });
    await daemon.report({ ...question, taskId, attempt: 1, requestId: 'toolu_2~x' });
    expect(await openOf(scene)).toHaveLength(1);
    // It never asked that.
    await daemon.report({
      kind: 'agent.withdrew',
      taskId,
      attempt: next.attempt,
      requestId: 'none',
    });
    expect(await openOf(scene)).toHaveLength(1);
  });
});

describe('an agent that is being ended', () => {
  it.each([question, permission])('asks nobody any more: $questionType', async (asked) => {
    const scene = await stage(t, { daemon });
    const { taskId, attempt } = await running(scene);
    await daemon.report({ ...asked, taskId, attempt });
    await cancelTask(t.engine, by(t.owner), { id: taskId });
    await runJobs(t);
    expect(await openOf(scene)).toEqual([]);
    // Its process has not ended yet: it asks again, and something else.
    await daemon.report({ ...asked, taskId, attempt });
    await daemon.report({ ...asked, taskId, attempt, requestId: 'toolu_9~z' });
    expect(await openOf(scene)).toEqual([]);
    expect(await contractRow(t, scene.contract.id)).toMatchObject({ status: 'active' });
  });

  it('with its contract asks nobody any more, before its end has reached it', async () => {
    const scene = await stage(t, { daemon });
    const { taskId, attempt } = await running(scene);
    const supervisor = { taskId: scene.supervisorTaskId, attempt: 1 };
    await changeStatus(t.engine, by(t.owner), { id: scene.contract.id, targetStatus: 'failed' });
    await daemon.report({ ...question, taskId, attempt });
    await daemon.report({ ...question, ...supervisor });
    expect(await openOf(scene)).toEqual([]);
    await runJobs(t);
    await daemon.report({ ...question, ...supervisor });
    expect(await openOf(scene)).toEqual([]);
  });
});

describe('a permission', () => {
  it('stands in the inbox before questions, with its tool and the input', async () => {
    const scene = await stage(t, { daemon });
    const { taskId, attempt } = await running(scene, { name: 'builder' });
    await daemon.report({ ...question, taskId, attempt });
    await daemon.report({ ...permission, taskId, attempt, requestId: 'toolu_9~p' });
    const mine = (await inbox(t.engine, t.owner)).items.filter(
      (item) => item.contractId === scene.contract.id,
    );
    expect(mine.map((item) => item.kind)).toEqual(['permission', 'question']);
    expect(mine[0]?.question).toMatchObject({
      questionType: 'permission',
      askedBy: 'builder',
      tool: { name: 'Bash', input: { command: 'rm -r build' } },
      choices: ['Allow', 'Deny'],
    });
    expect(mine[0]?.act).toBe(`makima answer ${mine[0]?.question?.id} allow|deny [<why>]`);
  });

  it('is given back in the words of the person, and again to a later attempt', async () => {
    const scene = await stage(t, { daemon });
    const task = await running(scene);
    const { taskId } = task;
    await daemon.report({ ...permission, taskId, attempt: 1 });
    await daemon.pull();
    await answer(await idOf(scene), 'deny: move it away instead');
    expect(await answers()).toMatchObject([{ answer: 'deny: move it away instead' }]);
    const next = await again(task);
    // The message that no agent has read goes along with the start.
    await daemon.pull();
    await daemon.report({ ...permission, taskId, attempt: next.attempt });
    expect(await answers()).toMatchObject([
      { attempt: 2, requestId: permission.requestId, answer: 'deny: move it away instead' },
    ]);
  });
});

it('an agent whose request is named like the breaker lets no blocked contract go on', async () => {
  const scene = await stage(t, { daemon });
  const { taskId, attempt } = await running(scene);
  const asked = { ...question, requestId: 'breaker-1', choices: ['Resume it once more'] };
  await daemon.report({ ...asked, taskId, attempt });
  const { id } = scene.contract;
  await t.database.sql`update contracts set status = 'active', waiting_for = null where id = ${id}`;
  await t.database
    .sql`update contracts set status = 'blocked', blocked_reason = 'look' where id = ${id}`;
  await answer(await idOf(scene), 'Resume it once more');
  expect(await contractRow(t, scene.contract.id)).toMatchObject({ status: 'blocked' });
});

it('a daemon that names its request as the control plane names its own questions hinders none', async () => {
  const scene = await stage(t, { daemon, contract: { onLimit: 'ask' } });
  const { taskId, attempt } = await running(scene);
  await daemon.report({ ...question, taskId, attempt, requestId: `limit-${attempt}` });
  const limit = { resetsAt: null, window: null };
  await daemon.ended({ taskId, attempt }, { outcome: 'limited', limit, commitSha: null });
  const open = await openOf(scene);
  expect(open.map((one) => one.choices.length)).toEqual([0, 3]);
});
