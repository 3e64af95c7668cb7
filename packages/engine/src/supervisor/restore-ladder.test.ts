/**
 * How far back a restoration goes: the conversation, on another machine with transcript and patch; a fresh
 * start with what was said; and which snapshot is believed.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandOf } from '@makima/contracts/socket/commands';
import { zAskInput } from '@makima/contracts/entity/question';
import { answerQuestion } from '../question/answer.ts';
import { askQuestion } from '../question/ask.ts';
import { disconnectDaemon } from '../daemon/disconnect.ts';
import { by, eventsOf, openTestEngine, runJobs, type TestEngine } from '../test-engine.ts';
import { outputReport, TestDaemon } from '../test-daemon.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { running, spawned, stage, type Stage } from '../test-stage.ts';
import { assignPending } from '../task/assign.ts';
import { whyTask } from '../task/why.ts';
import { saveState } from './save-state.ts';

let t: TestEngine;
beforeAll(async () => {
  t = await openTestEngine({ connections: 24 });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

const repositories = [{ repositoryUrl: 'https://git.example.com/shop.git' }] as never;
const of = (scene: Stage) => ({ taskId: scene.supervisorTaskId, attempt: 1 });

async function dies(scene: Stage): Promise<void> {
  await scene.daemon.ended(of(scene), { outcome: 'crashed', error: 'killed', signal: 'SIGKILL' });
}

const gone = (daemon: TestDaemon) =>
  disconnectDaemon(t.engine, daemon.principal, {
    sessionEpoch: daemon.sessionEpoch,
    reason: 'gone',
  });

async function nextStart(scene: Stage, on: TestDaemon): Promise<CommandOf<'task.start'>> {
  await runJobs(t);
  const starts = await on.pullOnly('task.start');
  const start = starts.find(({ taskId }) => taskId === scene.supervisorTaskId);
  if (start === undefined) throw new Error('the supervisor was not started');
  return start;
}

const restorationOf = async (scene: Stage) => {
  const [row] = await t.database.sql<
    { strategy: string; findings: { kind: string }[]; warnings: string[] }[]
  >`select strategy, findings, warnings from restorations where task_id = ${scene.supervisorTaskId}`;
  return row;
};

async function checkpointed(scene: Stage): Promise<string> {
  const [row] = await t.database.sql<{ id: string }[]>`
    insert into task_checkpoints (owner_id, task_id, attempt, checkpoint_number, commit_sha, base_sha, branch_name, message,
                                  files_changed, lines_added, lines_removed, patch_parts)
    values (${t.ownerId}, ${scene.supervisorTaskId}, 1, 1, ${'c'.repeat(40)}, ${'e'.repeat(40)}, 'b', 'm', 1, 1, 0, 1)
    returning id`;
  return row?.id ?? '';
}

describe('the ladder', () => {
  it('goes on in the same conversation on another machine, transcript and patch sent along', async () => {
    const scene = await stage(t, { contract: { repositories } });
    await scene.daemon.report({
      kind: 'transcript.stored',
      ...of(scene),
      fromSeq: 1,
      lines: ['{}'],
    });
    const patchCheckpointId = await checkpointed(scene);
    await dies(scene);
    await gone(scene.daemon);
    const other = await TestDaemon.join(t);
    expect(await nextStart(scene, other)).toMatchObject({
      attempt: 2,
      resumeSession: true,
      hasTranscript: true,
      patchCheckpointId,
      patchBaseSha: 'e'.repeat(40),
      startSha: 'e'.repeat(40),
    });
    expect(await restorationOf(scene)).toMatchObject({
      strategy: 'resume_session',
      findings: [{ kind: 'daemon_gone' }],
    });
    await gone(other);
  });

  it('waits for room on the machine that alone has its conversation, while that is there', async () => {
    const scene = await stage(t, { contract: { repositories } });
    await running(scene, { name: 'builds' });
    const places = (most: number) =>
      t.database
        .sql`update daemons set max_concurrent_tasks = ${most} where id = ${scene.daemon.id}`;
    await dies(scene);
    await places(1);
    const other = await TestDaemon.join(t);
    await runJobs(t);
    expect(await other.pullOnly('task.start')).toEqual([]);
    const why = await whyTask(t.engine, t.owner, { id: scene.supervisorTaskId });
    expect(why.blockers.map(({ kind }) => kind)).toEqual(['capacity']);
    await places(8);
    await assignPending(t.engine, t.system);
    expect(await nextStart(scene, scene.daemon)).toMatchObject({ attempt: 2, resumeSession: true });
    await gone(other);
    await gone(scene.daemon);
  });

  it('goes back to the checkpoint in a new conversation when the old one is out of reach', async () => {
    const scene = await stage(t, { contract: { repositories } });
    await checkpointed(scene);
    await dies(scene);
    await gone(scene.daemon);
    const other = await TestDaemon.join(t);
    const start = await nextStart(scene, other);
    expect(start).toMatchObject({ resumeSession: false, patchBaseSha: 'e'.repeat(40) });
    expect(start.messages[0]?.text).toContain('The end of your conversation before');
    expect((await restorationOf(scene))?.strategy).toBe('checkpoint');
    await gone(other);
  });

  it('starts fresh with a brief when there is neither', async () => {
    const scene = await stage(t, { contract: { repositories } });
    const task = await spawned(scene, { name: 'builds' });
    await dies(scene);
    await gone(scene.daemon);
    const other = await TestDaemon.join(t);
    const start = await nextStart(scene, other);
    expect(start).toMatchObject({ resumeSession: false, startSha: null, patchCheckpointId: null });
    const notice = start.messages[0]?.text ?? '';
    for (const word of ['fresh session', task.id, 'The end of your conversation before'])
      expect(notice).toContain(word);
    expect((await restorationOf(scene))?.strategy).toBe('fresh');
    await gone(other);
  });

  it('a new conversation that asks what the old one asked takes up its questions, each once', async () => {
    const scene = await stage(t, { contract: { repositories } });
    const ask = async (epoch: number, question: string, more = {}): Promise<string> => {
      const caller = { ...scene.supervisor, attempt: epoch };
      const input = zAskInput.parse({ question, nonBlocking: true, ...more });
      return (await askQuestion(t.engine, by(caller), input)).result.questionId;
    };
    const colour = await ask(1, 'Which colour?', { choices: ['red', 'blue'] });
    const sure = [await ask(1, 'Sure?'), await ask(1, 'Sure?')];
    await answerQuestion(t.engine, by(t.owner), { id: colour, response: 'red' });
    await dies(scene);
    await gone(scene.daemon);
    const other = await TestDaemon.join(t);
    await other.agent(await nextStart(scene, other));
    expect(await ask(2, 'Which colour?', { choices: ['red', 'blue'] })).toBe(colour);
    expect([await ask(2, 'Sure?'), await ask(2, 'Sure?')]).toEqual(sure);
    const before = [colour, ...sure];
    for (const another of [
      await ask(2, 'Which colour?', { choices: ['red', 'blue'] }),
      await ask(2, 'Sure?'),
    ])
      expect(before).not.toContain(another);
    await gone(other);
  });

  it('other words are another question, and so are the same words in the same conversation', async () => {
    const scene = await stage(t, { contract: { repositories } });
    const ask = async (epoch: number, more = {}): Promise<string> => {
      const caller = { ...scene.supervisor, attempt: epoch };
      const input = zAskInput.parse({ question: 'Go on?', nonBlocking: true, ...more });
      return (await askQuestion(t.engine, by(caller), input)).result.questionId;
    };
    const first = await ask(1, { context: 'with the first' });
    const guarded = await ask(1, { phaseguard: true });
    await scene.daemon.report({
      kind: 'transcript.stored',
      ...of(scene),
      fromSeq: 1,
      lines: ['{}'],
    });
    await dies(scene);
    await scene.daemon.agent(await nextStart(scene, scene.daemon));
    // It goes on in its conversation, and knows what it asked.
    expect(await ask(2, { context: 'with the first' })).not.toBe(first);
    await t.database
      .sql`update restorations set strategy = 'fresh' where task_id = ${scene.supervisorTaskId}`;
    expect(await ask(2, { context: 'with the second' })).not.toBe(first);
    expect(await ask(2, { phaseguard: true })).not.toBe(guarded);
    await t.database
      .sql`update supervisors set restoration_source = 'person' where task_id = ${scene.supervisorTaskId}`;
    expect(await ask(2, { context: 'with the first' })).not.toBe(first);
    await gone(scene.daemon);
  });
});

describe('snapshots', () => {
  it('the latest that verifies is believed; those after it are set aside with their reason', async () => {
    const scene = await stage(t);
    await spawned(scene, { name: 'one' });
    await runJobs(t);
    const { sql } = t.database;
    const taskId = scene.supervisorTaskId;
    const again = (set: string) =>
      sql.unsafe(
        `insert into conversation_snapshots (owner_id, contract_id, task_id, epoch, message_seq, message_count, schema_version, sha256, state)
         select owner_id, contract_id, task_id, epoch, message_seq, message_count, ${set}
           from conversation_snapshots where task_id = '${taskId}' order by id desc limit 1`,
      );
    await again(`schema_version, 'wrong', state`);
    await again(`schema_version, sha256, '{}'::jsonb`);
    await again(`99, sha256, state`);
    await dies(scene);
    await runJobs(t);
    const rows = await sql<{ reason: string | null }[]>`
      select quarantined_reason as reason from conversation_snapshots where task_id = ${taskId} order by id desc limit 4`;
    expect(rows.map(({ reason }) => reason)).toEqual([
      'schema version 99 is newer than 1',
      expect.stringMatching(/^its shape is wrong at /),
      'its checksum is wrong',
      null,
    ]);
    expect(await restorationOf(scene)).toMatchObject({ strategy: 'resume_session', findings: [] });
  });

  it('are built once for all that a model says in a while, and the oldest go', async () => {
    const scene = await stage(t);
    await runJobs(t);
    const { sql } = t.database;
    const { taskId } = of(scene);
    for (const [n, text] of ['one', 'two', 'three'].entries())
      await scene.daemon.report(outputReport(of(scene), n + 1, text));
    const tickets = await sql<{ jobId: string }[]>`
      select distinct job_id from outbox where queue = 'save-state' and published_at is null and payload->>'taskId' = ${taskId}`;
    // One, or two when the while ended in between.
    expect([1, 2]).toContain(tickets.length);
    const positions = async () =>
      (
        await sql<{ seq: number }[]>`
          select message_seq as seq from conversation_snapshots where task_id = ${taskId} order by id`
      ).map(({ seq }) => seq);
    const before = await positions();
    await saveState(t.engine, t.system, of(scene));
    expect(await positions()).toEqual([...before, 4]);
    await sql`
      insert into conversation_snapshots (owner_id, contract_id, task_id, epoch, message_seq, message_count, schema_version, sha256, state)
      select owner_id, contract_id, task_id, epoch, 1000 + n, 1, 1, 'x', '{}' from conversation_snapshots, generate_series(1, 120) as n
       where task_id = ${taskId} and message_seq = 4`;
    await scene.daemon.report(outputReport(of(scene), 4, 'four'));
    await saveState(t.engine, t.system, of(scene));
    const left = await positions();
    expect(left).toHaveLength(100);
    expect(left.at(-1)).toBe(5);
    await sql`delete from conversation_snapshots where task_id = ${taskId} and sha256 = 'x'`;
  });

  it('of which the last was spoilt are built anew, although nothing has changed since', async () => {
    const scene = await stage(t);
    await runJobs(t);
    const { sql } = t.database;
    const { taskId } = of(scene);
    const save = async () => (await saveState(t.engine, t.system, of(scene))).result;
    await save();
    expect(await save()).toBe('nothing');
    await sql`
      update conversation_snapshots set state = '{}' where id =
        (select max(id::text)::uuid from conversation_snapshots where task_id = ${taskId})`;
    expect(await save()).toBe('saved');
    expect(await save()).toBe('nothing');
  });

  it('of which none verifies are a finding, and the restoration goes on', async () => {
    const scene = await stage(t);
    await runJobs(t);
    const { sql } = t.database;
    await sql`update conversation_snapshots set sha256 = 'wrong' where task_id = ${scene.supervisorTaskId}`;
    await dies(scene);
    await runJobs(t);
    expect(await restorationOf(scene)).toMatchObject({
      strategy: 'resume_session',
      findings: [{ kind: 'snapshot_invalid' }],
    });
    const events = await eventsOf(t, scene.contract.id);
    expect(events.filter(({ type }) => type === 'attempt.lost')).toHaveLength(1);
  });
});
