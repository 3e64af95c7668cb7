/** A usage limit is a pause with a time: nobody fails, nobody of that account is started, everybody goes on. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { zAskInput } from '@makima/contracts/entity/question';
import type { SpawnInput } from '@makima/contracts/entity/task';
import type { CommandOf } from '@makima/contracts/socket/commands';
import type { ReportOf } from '@makima/contracts/socket/reports';
import { changeStatus } from '../contract/change-status.ts';
import { getContract } from '../contract/get.ts';
import { patchContract } from '../contract/patch.ts';
import { expireLeases } from '../daemon/expire-leases.ts';
import { findOrphaned } from '../supervisor/find-orphaned.ts';
import { requeueDue } from '../outbox/requeue.ts';
import { answerQuestion } from '../question/answer.ts';
import { askQuestion } from '../question/ask.ts';
import { listQuestions } from '../question/get.ts';
import { deliverLateAnswers } from '../question/redeliver-answers.ts';
import { cancelTask } from '../task/cancel.ts';
import { retryTask } from '../task/retry.ts';
import { whyTask } from '../task/why.ts';
import { TestDaemon } from '../test-daemon.ts';
import { by, eventsOf, openTestEngine, refusal, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { running, spawned, stage, taskRow, type Stage } from '../test-stage.ts';
import { resumeAfterLimits } from './go-on.ts';

let t: TestEngine;
let scene: Stage;
/** Each test has an agent of its own, so that no account of another holds it back. */
let agent: string;
beforeAll(async () => {
  t = await openTestEngine({ connections: 24 });
});
beforeEach(async () => {
  agent = `agent-${randomUUID().slice(0, 8)}`;
  const daemon = await TestDaemon.join(t, { slots: 8, agents: [agent] });
  scene = await stage(t, { daemon, contract: { agent } });
});
afterEach(async () => {
  expect(await brokenInvariants(t)).toEqual({});
});
afterAll(() => t.close());

type Limit = ReportOf<'task.ended'>['limit'];
const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();
const anHour = (): Limit => ({ resetsAt: inMs(3_600_000), window: 'five_hour' });
const meets = (of: { taskId: string; attempt: number }, limit: Limit = anHour()) =>
  scene.daemon.ended(of, { outcome: 'limited', limit, commitSha: null, summary: '' });
/** As if the limit had ended already. */
async function timePasses(): Promise<void> {
  await t.database
    .sql`update tasks set resume_at = clock() - interval '1 second' where session = 'limited' and agent = ${agent}`;
  await t.database
    .sql`update agent_limits set until = clock() - interval '1 second' where agent = ${agent}`;
}
const sweep = () => resumeAfterLimits(t.engine, { limit: 50 });
const startOf = async (taskId: string): Promise<CommandOf<'task.start'> | undefined> => {
  await runJobs(t);
  return (await scene.daemon.pullOnly('task.start')).find((start) => start.taskId === taskId);
};
const open = async () =>
  (
    await listQuestions(t.engine, t.owner, {
      status: 'open',
      contractId: scene.contract.id,
      limit: 50,
    })
  ).items;
const works = (input: Partial<SpawnInput> = {}) => running(scene, { name: 'works', ...input });

describe('an agent that meets its usage limit', () => {
  it('rests until the limit ends: no process, no lease, no key, no fault', async () => {
    const task = await works();
    await meets(task);
    await runJobs(t);
    expect(await taskRow(t, task.taskId)).toMatchObject({
      status: 'paused',
      session: 'limited',
      currentAttempt: 1,
      retryCount: 0,
      errorMessage: null,
    });
    const keys = await t.database.sql`
      select 1 from keys where task_id = ${task.taskId} and revoked_at is null`;
    expect(keys).toEqual([]);
    await expireLeases(t.engine, { limit: 100 });
    await requeueDue(t.engine, { olderThanMs: 0 });
    await runJobs(t);
    expect(await sweep()).toBe(0);
    expect(await taskRow(t, task.taskId)).toMatchObject({ session: 'limited' });
    const told = (await eventsOf(t, scene.contract.id)).filter(
      ({ type }) => type === 'task.limited',
    );
    expect(told.map(({ data }) => data)).toEqual([
      expect.objectContaining({ agent, asks: false, window: 'five_hour', attempt: 1 }),
    ]);
    const why = await whyTask(t.engine, t.owner, { id: task.taskId });
    expect(why.blockers).toEqual([expect.objectContaining({ kind: 'limit', whoCanAct: 'system' })]);
    expect(why.summary).toContain('It goes on at 2');
  });

  it('goes on in its conversation when it is over, once, whoever looks', async () => {
    const task = await works();
    await meets(task);
    await timePasses();
    await Promise.all([sweep(), sweep(), sweep()]);
    const start = await startOf(task.taskId);
    expect(start).toMatchObject({ attempt: 2, resumeSession: true });
    expect(start?.messages.map(({ text }) => text)).toEqual([
      expect.stringContaining('You were stopped by a usage limit'),
    ]);
    expect(await taskRow(t, task.taskId)).toMatchObject({ retryCount: 0, session: 'live' });
    expect(await sweep()).toBe(0);
  });

  it('told twice, or by an attempt that is over, rests once', async () => {
    const task = await works();
    await meets(task);
    await meets(task);
    await timePasses();
    await sweep();
    const start = await startOf(task.taskId);
    await meets(task);
    expect(await taskRow(t, task.taskId)).toMatchObject({ currentAttempt: 2, session: 'live' });
    expect(start?.attempt).toBe(2);
  });

  it('waits longer each time when nobody says until when', async () => {
    let of: { taskId: string; attempt: number } = await works();
    const waits: number[] = [];
    for (let time = 1; time <= 3; time += 1) {
      await meets(of, { resetsAt: null, window: null });
      const [row] = await t.database.sql<{ seconds: number }[]>`
        select extract(epoch from resume_at - clock())::int as seconds from tasks where id = ${of.taskId}`;
      waits.push(Math.round((row?.seconds ?? 0) / 60));
      await timePasses();
      await sweep();
      const start = await startOf(of.taskId);
      if (start === undefined) throw new Error('it did not go on');
      await scene.daemon.started(start);
      of = start;
    }
    expect(waits).toEqual([5, 10, 20]);
  });

  it('may be a supervisor: its digest holds what came meanwhile, and nobody restores it', async () => {
    const task = await works({ name: 'builds' });
    const asked = await askQuestion(
      t.engine,
      by(scene.supervisor),
      zAskInput.parse({ question: 'Which?', timeoutSeconds: 300 }),
    );
    await meets({ taskId: scene.supervisorTaskId, attempt: 1 });
    expect(await findOrphaned(t.engine, { limit: 10, olderThanMs: 0 })).toEqual([]);
    expect((await getContract(t.engine, t.owner, { id: scene.contract.id })).limitedUntil).not.toBe(
      null,
    );
    await answerQuestion(t.engine, by(t.owner), { id: asked.result.questionId, response: 'this' });
    await scene.daemon.ended(task, { summary: 'Built.' });
    expect(await startOf(scene.supervisorTaskId)).toBeUndefined();
    await timePasses();
    await sweep();
    const start = await startOf(scene.supervisorTaskId);
    const read = start?.messages.map(({ text }) => text).join('\n') ?? '';
    expect(read).toContain('The usage limit that stopped you is over');
    expect(read).toContain('Which? -> this');
    expect(read).toContain('Built.');
    expect(start).toMatchObject({ attempt: 2, resumeSession: true });
    expect((await eventsOf(t, scene.contract.id)).map(({ type }) => type)).not.toContain(
      'supervisor.restored',
    );
  });
});

describe('others of its account', () => {
  it('are held back before they start, say why until when, and start when it is over', async () => {
    const task = await works();
    const waits = await spawned(scene, { name: 'waits' });
    await meets(task);
    expect(await startOf(waits.id)).toBeUndefined();
    const why = await whyTask(t.engine, t.owner, { id: waits.id });
    expect(why.blockers).toEqual([expect.objectContaining({ kind: 'limit' })]);
    expect(why.summary).toMatch(/^The account of agent-\w+ is at its usage limit until 2/);
    await timePasses();
    await requeueDue(t.engine, { olderThanMs: 0 });
    expect((await startOf(waits.id))?.attempt).toBe(1);
    await sweep();
  });

  it('are the same agent on every machine that names the account, and on no other', async () => {
    const named = async (account: string | undefined): Promise<TestDaemon> => {
      const daemon = await TestDaemon.join(t, { slots: 8, agents: [agent] });
      if (account === undefined) return daemon;
      await t.database.sql`
        update daemons set agents = jsonb_set(agents, '{0,account}', ${t.database.sql.json(account)}) where id = ${daemon.id}`;
      return daemon;
    };
    const [team, mate, own] = [await named('team'), await named('team'), await named(undefined)];
    await t.database.sql`update daemons set status = 'disconnected' where id = ${scene.daemon.id}`;
    const anywhere = async (name: string, on: TestDaemon) => {
      const task = await spawned(scene, { name });
      await t.database.sql`
        update tasks set local_path = null, repository_url = 'https://example.org/x' where id = ${task.id}`;
      for (const other of [team, mate, own])
        await t.database.sql`
          update daemons set max_concurrent_tasks = ${other === on ? 8 : 1} where id = ${other.id}`;
      await runJobs(t);
      const [start] = await on.pullOnly('task.start');
      if (start === undefined) throw new Error(`${name} found no place`);
      await on.started(start);
      return start;
    };
    const first = await anywhere('first', team);
    await team.ended(first, { outcome: 'limited', limit: anHour(), commitSha: null });
    const second = await anywhere('second', own);
    expect([await team.pullOnly('task.start'), await mate.pullOnly('task.start')]).toEqual([
      [],
      [],
    ]);
    await own.ended(second, { outcome: 'limited', limit: anHour(), commitSha: null });
    const third = await spawned(scene, { name: 'third' });
    await t.database.sql`
      update tasks set local_path = null, repository_url = 'https://example.org/x' where id = ${third.id}`;
    await runJobs(t);
    expect((await whyTask(t.engine, t.owner, { id: third.id })).blockers[0]?.kind).toBe('limit');
  });
});

describe('a person', () => {
  const asking = async () => {
    await patchContract(t.engine, by(t.owner), { id: scene.contract.id, onLimit: 'ask' });
    const task = await works();
    await meets(task);
    const [question] = await open();
    if (question === undefined) throw new Error('nobody was asked');
    return { task, question };
  };
  const answers = (id: string, response: string) =>
    answerQuestion(t.engine, by(t.owner), { id, response });

  it('is asked where the contract or the task wants it, and others go on meanwhile', async () => {
    const { task, question } = await asking();
    expect(question).toMatchObject({
      nonBlocking: true,
      choices: ['Go on when it is over', 'Go on now', 'Stop it'],
    });
    expect(await getContract(t.engine, t.owner, { id: scene.contract.id })).toMatchObject({
      status: 'active',
      attention: 'needs_you',
      limitedUntil: null,
    });
    await timePasses();
    await t.database.sql`update tasks set resume_at = null where id = ${task.taskId}`;
    expect(await sweep()).toBe(0);
    const why = await whyTask(t.engine, t.owner, { id: task.taskId });
    expect(why.blockers).toEqual([
      expect.objectContaining({ kind: 'limit', whoCanAct: 'person', act: 'makima inbox' }),
    ]);
    await patchContract(t.engine, by(t.owner), { id: scene.contract.id, onLimit: 'resume' });
    const other = await works({ name: 'asks by itself', onLimit: 'ask' });
    await meets(other);
    expect(await open()).toHaveLength(2);
  });

  it('lets it go on when it is over', async () => {
    const { task, question } = await asking();
    await answers(question.id, 'go on when it is over');
    expect(await sweep()).toBe(0);
    await timePasses();
    await sweep();
    expect((await startOf(task.taskId))?.attempt).toBe(2);
    // A decision is no answer for the agent.
    await deliverLateAnswers(t.engine, { limit: 10 });
    const mail = await t.database.sql`
      select 1 from agent_messages where task_id = ${task.taskId} and source = 'answer'`;
    expect(mail).toEqual([]);
  });

  it('lets it go on at once, and whoever was held back with it', async () => {
    const { task, question } = await asking();
    const waits = await spawned(scene, { name: 'waits' });
    await runJobs(t);
    await answers(question.id, 'Go on now');
    await runJobs(t);
    const started = (await scene.daemon.pullOnly('task.start')).map(({ taskId }) => taskId);
    expect(started.toSorted()).toEqual([task.taskId, waits.id].toSorted());
  });

  it('stops it', async () => {
    const { task, question } = await asking();
    await answers(question.id, 'Stop it');
    expect(await taskRow(t, task.taskId)).toMatchObject({ status: 'cancelled', session: 'none' });
  });

  it('who says something else has decided nothing', async () => {
    const { task, question } = await asking();
    const refused = await refusal(answers(question.id, 'what limit?'));
    expect(refused.code).toBe('VALIDATION_FAILED');
    expect(await taskRow(t, task.taskId)).toMatchObject({ session: 'limited' });
    expect(await open()).toHaveLength(1);
  });

  it('asks for another attempt by hand: it goes on, and nobody is asked any more', async () => {
    const { task } = await asking();
    await retryTask(t.engine, by(t.owner), { id: task.taskId });
    expect(await open()).toEqual([]);
    expect((await startOf(task.taskId))?.attempt).toBe(2);
  });

  it('decides, not the supervisor; nor may it loosen what its contract says', async () => {
    const { task } = await asking();
    const refused = await refusal(retryTask(t.engine, by(scene.supervisor), { id: task.taskId }));
    expect(refused.code).toBe('INVALID_TRANSITION');
    const loose = await works({ name: 'loose', onLimit: 'resume' }).catch(() => undefined);
    expect(loose).toBeUndefined();
  });

  it('pauses the contract: nobody goes on before it does', async () => {
    const task = await works();
    await meets(task);
    const id = scene.contract.id;
    await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'paused' });
    await timePasses();
    expect(await sweep()).toBe(0);
    await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'active' });
    expect(await taskRow(t, task.taskId)).toMatchObject({ session: 'limited' });
    await sweep();
    expect((await startOf(task.taskId))?.attempt).toBe(2);
  });

  it('cancels it while it rests', async () => {
    const { task } = await asking();
    await cancelTask(t.engine, by(t.owner), { id: task.taskId });
    await runJobs(t);
    expect(await taskRow(t, task.taskId)).toMatchObject({ status: 'cancelled', session: 'none' });
    expect(await open()).toEqual([]);
  });
});
