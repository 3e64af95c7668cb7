/** Questions: asked once, answered once, delivered once, whatever comes at the same time. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zAskInput, type AskInput } from '@makima/contracts/entity/question';
import { answerText } from '@makima/domain/question';
import { changeStatus } from '../contract/change-status.ts';
import { expireLeases } from '../daemon/expire-leases.ts';
import { answerQuestion } from './answer.ts';
import { askQuestion } from './ask.ts';
import { getQuestion, listQuestions, readAnswer } from './get.ts';
import { deliverLateAnswers } from './redeliver-answers.ts';
import { inbox } from './inbox.ts';
import type { z } from 'zod';
import { TestDaemon } from '../test-daemon.ts';
import {
  by,
  eventsOf,
  openTestEngine,
  personOf,
  refusal,
  runJobs,
  type TestEngine,
} from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { contractRow, running, stage, type Stage } from '../test-stage.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine({ connections: 24 });
  daemon = await TestDaemon.join(t, { slots: 100 });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

const ask = async (
  scene: Stage,
  input: Partial<z.input<typeof zAskInput>> = {},
): Promise<string> => {
  const whole: AskInput = zAskInput.parse({ question: 'Which colour?', ...input });
  return (await askQuestion(t.engine, by(scene.supervisor), whole)).result.questionId;
};
const answer = (id: string, response: string | string[], who = t.owner) =>
  answerQuestion(t.engine, by(who), { id, response });
/** Nobody holds a request for it any more. */
const letGo = (id: string) => readAnswer(t.engine, t.system, { questionId: id, holdMs: 0 });
/** The answers that went to this agent as messages. */
const given = async (taskId: string): Promise<string[]> =>
  (
    await t.database.sql<{ text: string }[]>`
      select text from agent_messages where task_id = ${taskId} and source = 'answer'`
  ).map((row) => row.text);
const messages = async (): Promise<string[]> =>
  (await daemon.pullOnly('task.message')).map((command) => command.message.text);

describe('an answer', () => {
  it('takes its asker’s condition before its mailbox, like everybody who wakes it', async () => {
    const scene = await stage(t, { daemon });
    const id = await ask(scene);
    await letGo(id);
    const { sql } = t.database;
    let answered: Promise<unknown> = Promise.resolve();
    await sql.begin(async (tx) => {
      const [me] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`;
      await tx`select 1 from supervisors where task_id = ${scene.supervisorTaskId} for update`;
      answered = answer(id, 'red');
      const waits = async (): Promise<boolean> => {
        const rows = await sql`
          select 1 from pg_stat_activity where ${me?.pid ?? 0} = any(pg_blocking_pids(pid))`;
        return rows.length > 0;
      };
      while (!(await waits()));
      const [mailbox] = await tx<{ free: boolean }[]>`
        select pg_try_advisory_xact_lock(hashtextextended(${`mailbox:${scene.supervisorTaskId}`}, 0)) as free`;
      expect(mailbox?.free).toBe(true);
    });
    await answered;
    expect(await given(scene.supervisorTaskId)).toHaveLength(1);
  });

  it('has one winner among twenty; the others are told who and what', async () => {
    const scene = await stage(t, { daemon });
    const id = await ask(scene, { choices: ['red', 'blue'] });
    const people = await Promise.all(
      Array.from({ length: 20 }, (_, i) => personOf(t, { role: 'member', name: `p${i}` })),
    );
    const all = await Promise.allSettled(
      people.map((person, i) => answer(id, i % 2 === 0 ? 'red' : 'blue', person)),
    );
    const won = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value.result] : []));
    expect(won).toHaveLength(1);
    const lost = all.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    for (const reason of lost) {
      expect(reason).toMatchObject({
        code: 'QUESTION_ANSWERED',
        details: { answeredBy: won[0]?.answeredBy, response: won[0]?.response },
      });
    }
    expect(lost).toHaveLength(19);
    expect(
      (await eventsOf(t, scene.contract.id)).filter((e) => e.type === 'question.answered'),
    ).toHaveLength(1);
    expect(await contractRow(t, scene.contract.id)).toMatchObject({
      status: 'active',
      waitingFor: null,
    });
  });

  it('is the tool’s result while a request holds, and no message', async () => {
    const scene = await stage(t, { daemon });
    const id = await ask(scene);
    await daemon.pull();
    await answer(id, 'green');
    expect(
      await readAnswer(t.engine, scene.supervisor, { questionId: id, take: true }),
    ).toMatchObject({ questionId: id, status: 'answered', response: 'green' });
    await t.database
      .sql`update questions set held_until = clock() - interval '1 minute' where id = ${id}`;
    await deliverLateAnswers(t.engine, { limit: 10 });
    expect(await messages()).toEqual([]);
  });

  it('is a message when nobody holds, once', async () => {
    const scene = await stage(t, { daemon });
    const id = await ask(scene);
    await letGo(id);
    await daemon.pull();
    await answer(id, 'green');
    await deliverLateAnswers(t.engine, { limit: 10 });
    expect(await messages()).toEqual([
      '[User Response to Question]\nQuestion: Which colour?\nAnswer: green\n',
    ]);
  });

  it('comes as a message when its asker let go just before reading it', async () => {
    const scene = await stage(t, { daemon });
    const id = await ask(scene);
    await daemon.pull();
    await answer(id, 'green');
    await t.database
      .sql`update questions set held_until = clock() - interval '1 minute' where id = ${id}`;
    await Promise.all([
      deliverLateAnswers(t.engine, { limit: 10 }),
      deliverLateAnswers(t.engine, { limit: 10 }),
    ]);
    expect(await messages()).toHaveLength(1);
  });

  it('is no zombie’s: an attempt that is over takes and holds nothing', async () => {
    const scene = await stage(t, { daemon });
    const id = await ask(scene);
    await t.database.sql`update task_attempts set lease_expires_at = clock() - interval '1 s'
                          where task_id = ${scene.supervisorTaskId}`;
    await expireLeases(t.engine, { limit: 10 });
    await runJobs(t);
    const zombie = (input: { take?: boolean; holdMs?: number }) =>
      readAnswer(t.engine, scene.supervisor, { questionId: id, ...input });
    await zombie({ holdMs: 15_000 });
    await answer(id, 'red');
    await zombie({ take: true });
    expect((await given(scene.supervisorTaskId)).map((text) => text.includes('red'))).toEqual([
      true,
    ]);
  });

  it('that was taken before its agent died is named in the notice', async () => {
    const scene = await stage(t, { daemon });
    const id = await ask(scene);
    await answer(id, 'vermilion');
    await readAnswer(t.engine, scene.supervisor, { questionId: id, take: true });
    const of = { taskId: scene.supervisorTaskId, attempt: 1 };
    await daemon.ended(of, { outcome: 'crashed', error: 'boom' });
    await runJobs(t);
    const [notice] = await t.database.sql`
      select text from agent_messages where task_id = ${of.taskId} and source = 'notice'`;
    expect(notice?.['text']).toContain('Which colour? -> vermilion');
  });

  it('is its asker’s alone: a supervisor that reads it takes nothing from its task', async () => {
    const scene = await stage(t, { daemon });
    const task = await running(scene);
    await daemon.report({
      kind: 'agent.asked',
      taskId: task.taskId,
      attempt: 1,
      requestId: 'toolu_of_a_task',
      questionType: 'general',
      question: 'Which database?',
      context: null,
      choices: [],
      multiSelect: false,
    });
    const [row] = await t.database.sql`select id from questions where task_id = ${task.taskId}`;
    const questionId = String(row?.['id']);
    await readAnswer(t.engine, scene.supervisor, { questionId, holdMs: 15_000 });
    await answer(questionId, 'pg');
    await readAnswer(t.engine, scene.supervisor, { questionId, take: true });
    expect(await given(task.taskId)).toEqual([answerText('Which database?', 'pg')]);
  });

  it('names choices as they were offered, joined by a comma', async () => {
    const scene = await stage(t, { daemon });
    const id = await ask(scene, { choices: ['Red', 'Blue', 'Green'], multiSelect: true });
    expect((await answer(id, ['blue', 'RED'])).result.response).toBe('Blue, Red');
    const single = await ask(scene, { choices: ['Red', 'Blue'] });
    expect((await refusal(answer(single, ['Red', 'Blue']))).code).toBe('VALIDATION_FAILED');
  });
});

describe('a question', () => {
  it('holds the contract until its last one is answered; a non-blocking one holds nothing', async () => {
    const scene = await stage(t, { daemon });
    const aside = await ask(scene, { nonBlocking: true });
    expect((await contractRow(t, scene.contract.id)).status).toBe('active');
    const first = await ask(scene);
    const second = await ask(scene);
    const state = async () =>
      (
        await t.database
          .sql`select state, current_activity from supervisors where contract_id = ${scene.contract.id}`
      )[0];
    expect(await contractRow(t, scene.contract.id)).toMatchObject({
      status: 'waiting_for_input',
      waitingFor: 'question',
    });
    expect((await state())?.['state']).toBe('waiting_for_user');
    await answer(first, 'a');
    expect((await contractRow(t, scene.contract.id)).status).toBe('waiting_for_input');
    await answer(second, 'b');
    expect((await contractRow(t, scene.contract.id)).status).toBe('active');
    expect(await state()).toEqual({
      state: 'working',
      currentActivity: 'Resumed after user response',
    });
    const mine = (await inbox(t.engine, t.owner)).items.filter(
      (item) => item.contractId === scene.contract.id,
    );
    expect(mine.map((item) => item.question?.id)).toEqual([aside]);
  });

  it('is listed in pages that neither lose nor repeat one', async () => {
    const scene = await stage(t, { daemon });
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) ids.push(await ask(scene, { question: `q${i}` }));
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await listQuestions(t.engine, t.owner, {
        status: 'open',
        contractId: scene.contract.id,
        limit: 2,
        after,
      });
      seen.push(...page.items.map((q) => q.id));
      after = page.nextCursor ?? undefined;
    } while (after !== undefined);
    expect(seen).toEqual(ids);
    const bad = listQuestions(t.engine, t.owner, { status: 'open', limit: 2, after: "x' or 1=1" });
    expect((await refusal(bad)).code).toBe('VALIDATION_FAILED');
    expect((await getQuestion(t.engine, scene.supervisor, { id: ids[0] ?? '' })).question).toBe(
      'q0',
    );
  });

  it('is not asked in a contract that is over', async () => {
    const scene = await stage(t, { daemon });
    await changeStatus(t.engine, by(t.owner), {
      id: scene.contract.id,
      targetStatus: 'failed',
      reason: 'stop',
    });
    expect((await refusal(ask(scene))).code).toBe('INVALID_TRANSITION');
  });

  it('is refused when too many are open', async () => {
    const other = await openTestEngine({ limits: { openQuestionsPerContractMax: 2 } });
    const play = await stage(other);
    const input = zAskInput.parse({ question: 'Which?' });
    await askQuestion(other.engine, by(play.supervisor), input);
    await askQuestion(other.engine, by(play.supervisor), input);
    expect((await refusal(askQuestion(other.engine, by(play.supervisor), input))).code).toBe(
      'LIMIT_EXCEEDED',
    );
    await other.close();
  });
});
