/** Directives, their agents, and what those ask. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { zDirectiveInput } from '@makima/contracts/entity/directive';
import { zAskInput } from '@makima/contracts/entity/question';
import { answerQuestion } from '../question/answer.ts';
import { askQuestion } from '../question/ask.ts';
import { getQuestion, listQuestions, readAnswer } from '../question/get.ts';
import { inbox } from '../question/inbox.ts';
import { cancelTask } from '../task/cancel.ts';
import { TestDaemon } from '../test-daemon.ts';
import { by, openTestEngine, refusal, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { directiveStage, taskRow } from '../test-stage.ts';
import { createDirective } from './create.ts';
import { getDirective, listDirectives } from './get.ts';
import { patchDirective } from './patch.ts';
import { startDirectiveTask } from './start-task.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine({ limits: { openTasksPerDirectiveMax: 2 } });
  daemon = await TestDaemon.join(t, { slots: 100 });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

const create = async (input: Partial<z.input<typeof zDirectiveInput>> = {}) => {
  const whole = zDirectiveInput.parse({ title: 'Tidy', goal: 'No dead code.', ...input });
  return (await createDirective(t.engine, by(t.owner), whole)).result;
};
const events = async (directiveId: string): Promise<string[]> =>
  (
    await t.database.sql<{ type: string }[]>`
      select type from events where data ->> 'directiveId' = ${directiveId} order by id`
  ).map((row) => row.type);

describe('a directive', () => {
  it('sends its agent at once, with the goal in the words of the person', async () => {
    const { directive, start } = await directiveStage(t, daemon, { baseBranch: 'main' });
    expect(directive).toMatchObject({ status: 'active', reconcileMode: 'auto', openTasks: 1 });
    expect(start).toMatchObject({
      contractId: null,
      isSupervisor: false,
      repository: { url: null, path: '/srv/repositories/example', baseBranch: 'main' },
      contractBranch: null,
    });
    expect(start.plan).toContain('No dead code.');
    expect(start.plan).toContain('No order of this directive is open.');
    expect(start.systemAppend).toContain('waits 30 seconds');
    expect(await events(directive.id)).toEqual(['directive.created', 'task.spawned']);
    expect((await getDirective(t.engine, t.owner, { id: directive.id })).tasks).toMatchObject([
      { id: start.taskId, directiveId: directive.id, contractId: null, status: 'running' },
    ]);
  });

  it('sends nobody when told to wait, and nobody without a repository', async () => {
    const waits = await create({ start: false });
    expect(waits).toMatchObject({ tasks: [], repositoryUrl: null });
    const go = startDirectiveTask(t.engine, by(t.owner), { id: waits.id });
    expect((await refusal(go)).code).toBe('MISSING_REPO_URL');
    // What was never made has no address: its fix is about the request.
    const unmade = await refusal(create());
    expect(unmade.code).toBe('MISSING_REPO_URL');
    expect(unmade.fix).toMatch(/repositoryUrl.*this request/);
    expect(unmade.fix).not.toContain('/api/v1');
    const bad = create({ repositoryUrl: 'https://user:secret@example.com/x', start: false });
    const error = await refusal(bad);
    expect(error.code).toBe('VALIDATION_FAILED');
    expect(JSON.stringify(error)).not.toContain('secret');
  });

  it('has a bounded number of agents, also when they are sent at once', async () => {
    const { id } = await create({ localPath: '/srv/x', start: false, agent: 'claude', model: 'm' });
    const all = await Promise.allSettled(
      [1, 2, 3, 4].map(() => startDirectiveTask(t.engine, by(t.owner), { id })),
    );
    const sent = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value.result] : []));
    expect(sent).toHaveLength(2);
    expect(sent[0]).toMatchObject({ agent: 'claude', model: 'm', name: 'Tidy' });
    const refused = all.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    for (const reason of refused) expect(reason).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    await cancelTask(t.engine, by(t.owner), { id: sent[0]?.id ?? '' });
    const { result } = await startDirectiveTask(t.engine, by(t.owner), {
      id,
      name: 'Again',
      plan: 'Look at src only.',
      agent: 'scripted',
    });
    expect(result).toMatchObject({ name: 'Again', plan: 'Look at src only.', model: null });
  });

  it('is changed by version, and tells only of what changed', async () => {
    const { id } = await create({ localPath: '/srv/x', start: false });
    const patch = (input: Parameters<typeof patchDirective>[2]) =>
      patchDirective(t.engine, by(t.owner), input);
    const changed = (await patch({ id, reconcileMode: 'manual', expectedVersion: 1 })).result;
    expect(changed).toMatchObject({ version: 2, reconcileMode: 'manual' });
    expect((await patch({ id, reconcileMode: 'manual' })).result.version).toBe(2);
    expect(await refusal(patch({ id, title: 'x', expectedVersion: 1 }))).toMatchObject({
      code: 'VERSION_CONFLICT',
      details: { expected: 1, actual: 2 },
    });
    const moved = (await patch({ id, repositoryUrl: 'https://example.com/x.git' })).result;
    expect(moved).toMatchObject({ repositoryUrl: 'https://example.com/x.git', localPath: null });
    const back = (await patch({ id, localPath: '/srv/y' })).result;
    expect(back).toMatchObject({ repositoryUrl: null, localPath: '/srv/y', version: 4 });
    const [last] = await t.database.sql`
      select data from events where type = 'directive.updated' and data ->> 'directiveId' = ${id}
       order by id desc limit 1`;
    expect(last?.['data']).toMatchObject({ changed: ['localPath', 'repositoryUrl'], version: 4 });
  });

  it('is archived when its agents are over, and takes no more then', async () => {
    const { directive, start } = await directiveStage(t, daemon);
    const patch = (status: 'active' | 'archived') =>
      patchDirective(t.engine, by(t.owner), { id: directive.id, status });
    expect(await refusal(patch('archived'))).toMatchObject({
      code: 'CONFLICT',
      details: { openTasks: 1 },
    });
    await daemon.ended(start);
    expect((await patch('archived')).result.status).toBe('archived');
    const go = startDirectiveTask(t.engine, by(t.owner), { id: directive.id });
    expect((await refusal(go)).code).toBe('INVALID_TRANSITION');
    expect((await patch('active')).result.status).toBe('active');
  });

  it('is listed newest first, in pages that neither lose nor repeat one', async () => {
    const made: string[] = [];
    for (let i = 0; i < 5; i += 1) made.push((await create({ start: false })).id);
    await patchDirective(t.engine, by(t.owner), { id: made[1] ?? '', status: 'archived' });
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await listDirectives(t.engine, t.owner, { status: 'active', limit: 2, after });
      seen.push(...page.items.map((d) => d.id));
      after = page.nextCursor ?? undefined;
    } while (after !== undefined && seen.length < 4);
    expect(seen).toEqual(made.filter((_, i) => i !== 1).toReversed());
    const bad = listDirectives(t.engine, t.owner, { limit: 2, after: 'nonsense' });
    expect((await refusal(bad)).code).toBe('VALIDATION_FAILED');
  });
});

describe('what an agent of a directive asks', () => {
  const ask = (agent: Parameters<typeof by>[0], input: Partial<z.input<typeof zAskInput>> = {}) =>
    askQuestion(
      t.engine,
      by(agent),
      zAskInput.parse({ question: 'May I?', timeoutSeconds: 600, ...input }),
    );

  it.each([
    ['auto', 30_000, 'timed_out'],
    ['semi-auto', 300_000, 'still_pending'],
    ['manual', 300_000, 'still_pending'],
  ] as const)('blocks as %s says', async (reconcileMode, holdMs, afterHold) => {
    const { agent, directive, start } = await directiveStage(t, daemon, { reconcileMode });
    const { result } = await ask(agent);
    expect(result).toMatchObject({ holdMs, afterHold, reconcileMode });
    expect(await getQuestion(t.engine, agent, { id: result.questionId })).toMatchObject({
      contractId: null,
      directiveId: directive.id,
      taskId: start.taskId,
    });
    expect((await ask(agent, { nonBlocking: true })).result).toMatchObject({
      holdMs: 0,
      afterHold: 'asked',
    });
    expect((await ask(agent, { phaseguard: true })).result.afterHold).toBe('still_pending');
    await daemon.ended(start);
  });

  it('stands in the inbox, and its answer reaches the agent', async () => {
    const { agent } = await directiveStage(t, daemon);
    const { questionId } = (await ask(agent, { choices: ['yes', 'no'] })).result;
    const { items } = await inbox(t.engine, t.owner);
    expect(items.find((item) => item.question?.id === questionId)).toMatchObject({
      kind: 'question',
      contractId: null,
    });
    await answerQuestion(t.engine, by(t.owner), { id: questionId, response: 'yes' });
    expect(await readAnswer(t.engine, agent, { questionId, take: true })).toMatchObject({
      response: 'yes',
    });
  });

  it('reaches it as a message when it did not wait', async () => {
    const { agent, start } = await directiveStage(t, daemon);
    const { questionId } = (await ask(agent)).result;
    await readAnswer(t.engine, agent, { questionId, holdMs: 0 });
    await answerQuestion(t.engine, by(t.owner), { id: questionId, response: 'go' });
    const told = await daemon.pullOnly('task.message');
    expect(told.filter((c) => c.taskId === start.taskId).map((c) => c.message.text)).toEqual([
      '[User Response to Question]\nQuestion: May I?\nAnswer: go\n',
    ]);
  });

  it('is withdrawn when the agent is over', async () => {
    const { agent, start } = await directiveStage(t, daemon);
    const { questionId } = (await ask(agent)).result;
    await daemon.ended(start);
    const withdrawn = await listQuestions(t.engine, t.owner, { status: 'cancelled', limit: 200 });
    expect(withdrawn.items.map((q) => q.id)).toContain(questionId);
    const late = answerQuestion(t.engine, by(t.owner), { id: questionId, response: 'x' });
    expect((await refusal(late)).code).toBe('CONFIRMATION_VOID');
  });

  it('is a question and no confirmation, and bounded', async () => {
    const { agent } = await directiveStage(t, daemon);
    expect((await refusal(ask(agent, { questionType: 'phase_confirmation' }))).code).toBe(
      'VALIDATION_FAILED',
    );
    const nowhere = { ...agent, directiveId: null };
    expect((await refusal(ask(nowhere))).code).toBe('NO_CONTEXT');
    const few = await openTestEngine({ limits: { openQuestionsPerContractMax: 1 } });
    const scene = await directiveStage(few, await TestDaemon.join(few));
    const input = zAskInput.parse({ question: 'q' });
    await askQuestion(few.engine, by(scene.agent), input);
    const more = askQuestion(few.engine, by(scene.agent), input);
    expect((await refusal(more)).code).toBe('LIMIT_EXCEEDED');
    await few.close();
  });

  it('by its own question tool belongs to the directive too', async () => {
    const { directive, start } = await directiveStage(t, daemon);
    await daemon.report({
      kind: 'agent.asked',
      taskId: start.taskId,
      attempt: 1,
      requestId: 'toolu_1',
      questionType: 'general',
      question: 'Which?',
      context: null,
      choices: [],
      multiSelect: false,
    });
    const open = await listQuestions(t.engine, t.owner, { status: 'open', limit: 200 });
    expect(open.items.find((q) => q.taskId === start.taskId)).toMatchObject({
      directiveId: directive.id,
      contractId: null,
    });
  });
});

describe('the end of an agent of a directive', () => {
  const cleanUps = async (taskId: string) =>
    (await daemon.pullOnly('workdir.clean')).filter((command) => command.taskId === taskId);

  it('removes its directory once, and gives its place to the next', async () => {
    const { start } = await directiveStage(t, daemon);
    await daemon.ended(start);
    expect(await runJobs(t)).toMatchObject({ 'spawn-task': 1 });
    expect(await taskRow(t, start.taskId)).toMatchObject({ status: 'done' });
    expect(await cleanUps(start.taskId)).toHaveLength(1);
  });

  it('that was cancelled removes it when no process is left', async () => {
    const { start } = await directiveStage(t, daemon);
    await cancelTask(t.engine, by(t.owner), { id: start.taskId });
    expect(await cleanUps(start.taskId)).toEqual([]);
    await daemon.ended(start, { outcome: 'stopped' });
    expect(await cleanUps(start.taskId)).toHaveLength(1);
  });

  it('that was cancelled and then lost removes it too', async () => {
    const { start } = await directiveStage(t, daemon);
    await cancelTask(t.engine, by(t.owner), { id: start.taskId });
    await daemon.ended(start, { outcome: 'crashed', error: 'x' });
    expect(await cleanUps(start.taskId)).toHaveLength(1);
  });

  it('by a crash is no end: it goes on in its next attempt, in its directory', async () => {
    const { start } = await directiveStage(t, daemon);
    await daemon.ended(start, { outcome: 'crashed', error: 'x' });
    await runJobs(t);
    const again = (await daemon.pullOnly('task.start')).filter((c) => c.taskId === start.taskId);
    expect(again).toMatchObject([{ attempt: 2, resumeSession: true }]);
    expect((await taskRow(t, start.taskId)).status).toBe('starting');
  });
});
