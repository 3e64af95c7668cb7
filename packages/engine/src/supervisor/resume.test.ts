/** A person brings a supervisor back: in each mode, from each rest, and not while it runs. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandOf } from '@makima/contracts/socket/commands';
import { changeStatus } from '../contract/change-status.ts';
import { getContract } from '../contract/get.ts';
import { disconnectDaemon } from '../daemon/disconnect.ts';
import { revokeDaemon } from '../identity/daemons.ts';
import { askQuestion } from '../question/ask.ts';
import { listQuestions } from '../question/get.ts';
import { movedStart } from '@makima/domain/moved';
import { zAskInput } from '@makima/contracts/entity/question';
import { resumeSupervisor, type ResumeInput } from './resume.ts';
import { restoreSupervisor } from './restore.ts';
import { by, eventsOf, newContract, openTestEngine, refusal, runJobs } from '../test-engine.ts';
import type { TestEngine } from '../test-engine.ts';
import { assignPending } from '../task/assign.ts';
import { TestDaemon } from '../test-daemon.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { running, stage, taskRow, type Stage } from '../test-stage.ts';

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

const resume = async (scene: Stage, input: Partial<ResumeInput> = {}) =>
  (
    await resumeSupervisor(t.engine, by(t.owner), {
      id: scene.contract.id,
      resumeMode: 'continue',
      ...input,
    })
  ).result;

/** Its agent dies, and nobody restores it. */
async function dies(scene: Stage, attempt = 1): Promise<void> {
  const of = { taskId: scene.supervisorTaskId, attempt };
  await scene.daemon.ended(of, { outcome: 'crashed', error: 'killed', signal: 'SIGKILL' });
}

/** A supervisor that died, and whose conversation is stored. */
async function spoken(): Promise<Stage> {
  const scene = await stage(t, { daemon });
  const of = { taskId: scene.supervisorTaskId, attempt: 1 };
  await daemon.report({ kind: 'transcript.stored', ...of, fromSeq: 1, lines: ['{}'] });
  await dies(scene);
  return scene;
}

async function nextStart(scene: Stage, on = daemon): Promise<CommandOf<'task.start'>> {
  await runJobs(t);
  const start = (await on.pullOnly('task.start')).find(
    ({ taskId }) => taskId === scene.supervisorTaskId,
  );
  if (start === undefined) throw new Error('the supervisor was not started');
  return start;
}

const noticeOf = (start: CommandOf<'task.start'>): string => {
  const notices = start.messages.filter(({ text }) => text.includes('RESTORATION NOTICE ==='));
  expect(notices).toHaveLength(1);
  return notices[0]?.text ?? '';
};

async function checkpoint(scene: Stage, number: number, digit: string): Promise<string> {
  const [row] = await t.database.sql<{ id: string }[]>`
    insert into task_checkpoints (owner_id, task_id, attempt, checkpoint_number, commit_sha, base_sha, branch_name, message,
                                  files_changed, lines_added, lines_removed, patch_parts)
    values (${t.ownerId}, ${scene.supervisorTaskId}, 1, ${number}, ${digit.repeat(40)}, ${'e'.repeat(40)}, 'b', 'm', 1, 1, 0, 1)
    returning id`;
  return row?.id ?? '';
}

describe('a resume by a person', () => {
  it('continues where it was, with questions, waits, tasks and the words of the person', async () => {
    const scene = await stage(t, { daemon });
    const task = await running(scene, { name: 'builds' });
    const ask = zAskInput.parse({ question: 'Which?' });
    const { questionId } = (await askQuestion(t.engine, by(scene.supervisor), ask)).result;
    await dies(scene);
    const answer = await resume(scene, { additionalContext: 'Mind the tests.' });
    expect(answer).toMatchObject({
      supervisorTaskId: scene.supervisorTaskId,
      daemonId: daemon.id,
      resumedFrom: { phase: 'plan', messageCount: 1 },
      status: 'pending',
      restoration: {
        previousState: 'waiting_for_user',
        restorationCount: 1,
        pendingQuestionsCount: 1,
        waitingTasksCount: 0,
        spawnedTasksCount: 1,
        warnings: [],
      },
    });
    expect(Date.parse(answer.resumedFrom.lastActivity)).toBeGreaterThan(0);
    const start = await nextStart(scene);
    expect(start).toMatchObject({ attempt: 2, resumeSession: true });
    const notice = noticeOf(start);
    for (const word of [questionId, task.taskId, 'Mind the tests.', 'resumed you'])
      expect(notice).toContain(word);
    const events = await eventsOf(t, scene.contract.id);
    expect(events.filter(({ type }) => type === 'supervisor.resumed')).toHaveLength(1);
  });

  it('is refused while it runs, and for what is over, foreign or unknown', async () => {
    const scene = await stage(t, { daemon });
    expect(await refusal(resume(scene))).toMatchObject({ code: 'ALREADY_RUNNING' });
    expect(await refusal(resume(scene, { resumeMode: 'again' }))).toMatchObject({
      code: 'INVALID_RESUME_MODE',
      details: { modes: ['continue', 'restart_phase', 'from_checkpoint'] },
    });
    await dies(scene);
    const unknown = randomUUID();
    for (const input of [
      { targetDaemonId: unknown },
      { resumeMode: 'from_checkpoint', checkpointId: unknown },
      { resumeMode: 'from_checkpoint' },
    ])
      expect(await refusal(resume(scene, input))).toMatchObject({ code: 'NOT_FOUND' });
    const { id } = await newContract(t, { start: false });
    const idle = resumeSupervisor(t.engine, by(t.owner), { id, resumeMode: 'continue' });
    expect(await refusal(idle)).toMatchObject({ code: 'SUPERVISOR_NOT_FOUND' });
    await changeStatus(t.engine, by(t.owner), { id: scene.contract.id, targetStatus: 'failed' });
    expect(await refusal(resume(scene))).toMatchObject({ code: 'INVALID_TRANSITION' });
    await runJobs(t);
  });

  it('takes over from an agent whose daemon went away, under its fence', async () => {
    const other = await TestDaemon.join(t);
    const gone = () =>
      disconnectDaemon(t.engine, other.principal, {
        sessionEpoch: other.sessionEpoch,
        reason: 'gone',
      });
    const scene = await stage(t, { daemon });
    await dies(scene);
    await resume(scene, { targetDaemonId: other.id });
    await other.started(await nextStart(scene, other));
    await gone();
    expect((await resume(scene)).restoration?.warnings).toContainEqual(
      expect.stringContaining('The repository is a path on daemon'),
    );
    await resume(scene, { targetDaemonId: daemon.id });
    expect((await nextStart(scene)).attempt).toBe(3);
    // What it says when it comes back is late; it is told to stop, and its work keeps a name.
    const of = { taskId: scene.supervisorTaskId, attempt: 2 };
    expect(await other.connect([of])).toMatchObject({ keep: [], fenced: [of] });
    await other.ended(of, { outcome: 'fenced', keptRef: 'refs/makima/kept/x' });
    expect(await taskRow(t, of.taskId)).toMatchObject({ currentAttempt: 3, status: 'starting' });
    const { sql } = t.database;
    expect(await sql`select ref from kept_refs where task_id = ${of.taskId}`).toEqual([
      { ref: 'refs/makima/kept/x' },
    ]);
    await gone();
  });

  it('goes on from where it ran last, whatever machine it was only given to', async () => {
    const other = await TestDaemon.join(t);
    const scene = await spoken();
    const next = async (on: TestDaemon) => {
      await resume(scene, { targetDaemonId: on.id });
      const start = await nextStart(scene, on);
      const words = start.messages.filter(({ text }) => text.startsWith(movedStart)).length;
      return { start, told: { words, workAttempt: start.workAttempt ?? null } };
    };
    const never = { outcome: 'start_failed' } as const;
    const away = await next(other);
    expect(away.told).toEqual({ words: 1, workAttempt: 1 });
    await other.ended(away.start, never);
    // It never ran there: its directory is here as it was left, and no word says otherwise.
    const home = await next(daemon);
    expect(home.told).toEqual({ words: 0, workAttempt: null });
    await daemon.started(home.start);
    await dies(scene, 3);
    const ran = await next(other);
    expect(ran.told).toEqual({ words: 1, workAttempt: 3 });
    await other.started(ran.start);
    await other.ended(ran.start, { outcome: 'crashed' });
    // It did not read that word, which is true there yet.
    const still = await next(other);
    expect(still.told).toEqual({ words: 1, workAttempt: null });
    await other.ended(still.start, never);
    // What stands here is older than the work that it did there, however often it cannot begin.
    const back = await next(daemon);
    expect(back.told).toEqual({ words: 1, workAttempt: 4 });
    await daemon.ended(back.start, never);
    expect((await next(daemon)).told).toEqual({ words: 1, workAttempt: 4 });
    const voided = await t.database.sql`
      select count(*)::int as n from events where task_id = ${scene.supervisorTaskId} and type = 'message.refused'`;
    expect(voided).toEqual([{ n: 3 }]);
  });

  it('says nothing to a new conversation of where the one before it went', async () => {
    const other = await TestDaemon.join(t);
    const scene = await spoken();
    const isMoved = ({ text }: { readonly text: string }) => text.startsWith(movedStart);
    await resume(scene, { targetDaemonId: other.id });
    const away = await nextStart(scene, other);
    expect(away.messages.some(isMoved)).toBe(true);
    await other.started(away);
    await other.ended(away, { outcome: 'crashed' });
    await resume(scene, { targetDaemonId: other.id, resumeMode: 'restart_phase' });
    expect((await nextStart(scene, other)).messages.filter(isMoved)).toEqual([]);
  });

  it('waits for the machine that was chosen, and says so', async () => {
    const away = await TestDaemon.join(t, { agents: ['claude'] });
    await disconnectDaemon(t.engine, away.principal, {
      sessionEpoch: away.sessionEpoch,
      reason: 'gone',
    });
    const scene = await stage(t, { daemon });
    await dies(scene);
    const answer = await resume(scene, { targetDaemonId: away.id });
    expect(answer).toMatchObject({ daemonId: away.id, status: 'pending' });
    expect(answer.restoration?.warnings).toEqual([
      expect.stringContaining('is not connected'),
      expect.stringContaining('has no agent of kind scripted'),
      expect.stringContaining('path on another machine'),
      expect.stringContaining('on the former machine only'),
    ]);
    await runJobs(t);
    expect(await taskRow(t, scene.supervisorTaskId)).toMatchObject({ status: 'pending' });
    // Another word of a person replaces the first: one restoration, one notice.
    await resume(scene, { additionalContext: 'Anywhere.' });
    const start = await nextStart(scene);
    expect(noticeOf(start)).toContain('Anywhere.');
    const { sql } = t.database;
    expect(
      await sql`select epoch from restorations where task_id = ${scene.supervisorTaskId}`,
    ).toEqual([{ epoch: 2 }]);
  });

  it('begins the phase anew with an empty conversation; the former one stays', async () => {
    const scene = await spoken();
    const answer = await resume(scene, { resumeMode: 'restart_phase' });
    expect(answer.restoration?.warnings[0]).toContain('Phase plan is begun anew');
    const start = await nextStart(scene);
    expect(start).toMatchObject({ resumeSession: false, hasTranscript: false });
    expect(start.checkpointSha).toBeUndefined();
    expect(noticeOf(start)).toContain('fresh session');
    expect(noticeOf(start)).not.toContain('conversation before');
    await daemon.started(start);
    const { sql } = t.database;
    const [row] = await sql`
      select count(*)::int as n, max(attempt) as last from conversation_messages where task_id = ${scene.supervisorTaskId}`;
    expect(row).toEqual({ n: 2, last: 2 });
  });

  it('goes back to the checkpoint that was named, else to the last, until an agent began there', async () => {
    const scene = await stage(t, { daemon });
    const first = await checkpoint(scene, 1, '1');
    const second = await checkpoint(scene, 2, '2');
    await dies(scene);
    await resume(scene, { resumeMode: 'from_checkpoint', checkpointId: first });
    const start = await nextStart(scene);
    expect(start).toMatchObject({
      resumeSession: false,
      checkpointSha: '1'.repeat(40),
      patchCheckpointId: first,
      patchBaseSha: 'e'.repeat(40),
      startSha: 'e'.repeat(40),
    });
    expect(noticeOf(start)).toContain('The end of your conversation before, as it was stored (1):');
    await daemon.started(start);
    await dies(scene, 2);
    const restored = await nextStart(scene);
    expect(restored).toMatchObject({ attempt: 3, resumeSession: true, startSha: null });
    expect(restored.checkpointSha).toBeUndefined();
    await dies(scene, 3);
    await resume(scene, { resumeMode: 'from_checkpoint' });
    expect(await nextStart(scene)).toMatchObject({
      checkpointSha: '2'.repeat(40),
      patchCheckpointId: second,
    });
  });

  it('lets a paused contract go on, its tasks too', async () => {
    const scene = await stage(t, { daemon });
    const task = await running(scene, { name: 'rests' });
    await changeStatus(t.engine, by(t.owner), { id: scene.contract.id, targetStatus: 'paused' });
    for (const stop of await daemon.pullOnly('task.stop'))
      await daemon.ended(stop, { outcome: 'stopped' });
    await resume(scene);
    expect(await getContract(t.engine, t.owner, { id: scene.contract.id })).toMatchObject({
      status: 'active',
    });
    await runJobs(t);
    const starts = await daemon.pullOnly('task.start');
    const ids = starts.map(({ taskId }) => taskId);
    expect(ids.toSorted()).toEqual([scene.supervisorTaskId, task.taskId].toSorted());
  });

  it('goes on after too many restorations, withdraws the question, and counts anew', async () => {
    const scene = await stage(t, { daemon });
    const { id } = scene.contract;
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await dies(scene, attempt);
      await daemon.started(await nextStart(scene));
    }
    await dies(scene, 6);
    await runJobs(t);
    const open = { status: 'open', contractId: id, limit: 5 } as const;
    expect((await listQuestions(t.engine, t.owner, open)).items).toHaveLength(1);
    expect(await resume(scene)).toMatchObject({ restoration: { restorationCount: 6 } });
    expect((await listQuestions(t.engine, t.owner, open)).items).toEqual([]);
    expect(await getContract(t.engine, t.owner, { id })).toMatchObject({ status: 'active' });
    await daemon.started(await nextStart(scene));
    await dies(scene, 7);
    expect((await nextStart(scene)).attempt).toBe(8);
  });

  it('and a restorer at the same time are one restoration', async () => {
    const scene = await stage(t, { daemon });
    await dies(scene);
    const of = { taskId: scene.supervisorTaskId, attempt: 1 };
    await Promise.all([
      restoreSupervisor(t.engine, t.system, of),
      resume(scene),
      restoreSupervisor(t.engine, t.system, of),
    ]);
    const start = await nextStart(scene);
    expect(start.attempt).toBe(2);
    noticeOf(start);
    const { sql } = t.database;
    const [row] = await sql`
      select restoration_count, restoration_source from supervisors where task_id = ${of.taskId}`;
    expect(row).toEqual({ restorationCount: 1, restorationSource: 'person' });
  });

  it('starts elsewhere when the machine that was chosen is revoked before it comes', async () => {
    const away = await TestDaemon.join(t);
    const scene = await stage(t, { daemon });
    await dies(scene);
    await disconnectDaemon(t.engine, away.principal, {
      sessionEpoch: away.sessionEpoch,
      reason: 'gone',
    });
    await resume(scene, { targetDaemonId: away.id });
    await runJobs(t);
    expect(await taskRow(t, scene.supervisorTaskId)).toMatchObject({ status: 'pending' });
    await revokeDaemon(t.engine, by(t.owner), { id: away.id });
    await assignPending(t.engine, t.system);
    expect(await nextStart(scene)).toMatchObject({ attempt: 2 });
  });

  it('of one that has yet to begin only chooses its machine', async () => {
    const late = await TestDaemon.join(t);
    await disconnectDaemon(t.engine, late.principal, {
      sessionEpoch: late.sessionEpoch,
      reason: 'gone',
    });
    const contract = await newContract(t);
    const answer = await resumeSupervisor(t.engine, by(t.owner), {
      id: contract.id,
      resumeMode: 'continue',
      targetDaemonId: late.id,
    });
    expect(answer.result.restoration).toMatchObject({ restorationCount: 0 });
    await runJobs(t);
    expect(await taskRow(t, answer.result.supervisorTaskId)).toMatchObject({ status: 'pending' });
    await late.connect();
    await runJobs(t);
    expect(await late.pullOnly('task.start')).toMatchObject([{ attempt: 1, messages: [] }]);
  });
});
