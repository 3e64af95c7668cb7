/** Restoration: once per epoch whoever looks, with its notice, its questions and its waits; and its breaker. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zAskInput } from '@makima/contracts/entity/question';
import { answerQuestion } from '../question/answer.ts';
import { completeDeliverable } from '../contract/complete-deliverable.ts';
import { messageTask } from '../task/message.ts';
import { askQuestion } from '../question/ask.ts';
import { listQuestions } from '../question/get.ts';
import { getContract } from '../contract/get.ts';
import { beginWait } from '../wait/begin.ts';
import { requeueDue } from '../outbox/requeue.ts';
import { auditInvariants } from '../self-audit/look.ts';
import { findOrphaned } from './find-orphaned.ts';
import { restoreSupervisor } from './restore.ts';
import { by, eventsOf, openTestEngine, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { TestDaemon } from '../test-daemon.ts';
import { running, spawned, stage, taskRow, type Stage } from '../test-stage.ts';

let t: TestEngine;
beforeAll(async () => {
  t = await openTestEngine({ connections: 24 });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

/** The supervisor's agent dies and its next epoch is commanded; answers that command. */
async function dies(scene: Stage, attempt: number) {
  const of = { taskId: scene.supervisorTaskId, attempt };
  await scene.daemon.ended(of, { outcome: 'crashed', error: 'killed', signal: 'SIGKILL' });
  await runJobs(scene.t);
  const starts = await scene.daemon.pullOnly('task.start');
  return starts.find((start) => start.taskId === scene.supervisorTaskId);
}

describe('a restoration', () => {
  it('happens once, whoever looks, and brings question, wait and news along', async () => {
    const scene = await stage(t);
    const task = await running(scene, { name: 'builds' });
    const lost = await spawned(scene, { name: 'later' });
    const asked = await askQuestion(
      t.engine,
      by(scene.supervisor),
      zAskInput.parse({ question: 'Which?' }),
    );
    await beginWait(t.engine, by(scene.supervisor), { taskIds: [task.taskId], mode: 'all' });
    await completeDeliverable(t.engine, by(scene.supervisor), {
      id: scene.contract.id,
      deliverableId: 'implementation',
      phase: 'execute',
      evidence: [],
    });
    const of = { taskId: scene.supervisorTaskId, attempt: 1 };
    // Waits unread, and is older than the notice.
    const said = { message: 'Use blue.', mode: 'queue' } as const;
    await messageTask(t.engine, by(t.owner), { id: of.taskId, ...said });
    await scene.daemon.ended(of, { outcome: 'crashed', error: 'killed', signal: 'SIGKILL' });
    const system = { kind: 'system', ownerId: t.owner.ownerId, name: 'test' } as const;
    const looks = await Promise.all(
      Array.from({ length: 10 }, () => restoreSupervisor(t.engine, system, of)),
    );
    expect(looks.filter(({ result }) => result !== 'nothing')).toHaveLength(1);
    await runJobs(t);
    const starts = await scene.daemon.pullOnly('task.start');
    const [start, ...others] = starts.filter((one) => one.taskId === scene.supervisorTaskId);
    expect(others).toEqual([]);
    expect(start).toMatchObject({ attempt: 2, resumeSession: true });
    const [notice = '', ...later] = start?.messages.map((message) => message.text) ?? [];
    expect(later).toEqual([expect.stringContaining('Use blue.')]);
    expect(notice.match(/=== SUPERVISOR RESTORATION NOTICE ===/g)).toHaveLength(1);
    for (const word of [
      'implementation of execute',
      asked.result.questionId,
      'builds',
      lost.name,
      'killed',
    ])
      expect(notice).toContain(word);
    const { items } = await listQuestions(t.engine, t.owner, {
      status: 'open',
      contractId: scene.contract.id,
      limit: 5,
    });
    expect(items).toEqual([
      expect.objectContaining({ id: asked.result.questionId, isRestored: true }),
    ]);
    await scene.daemon.started({ taskId: scene.supervisorTaskId, attempt: 2 });
    const restored = (await eventsOf(t, scene.contract.id)).filter(
      (event) => event.type === 'supervisor.restored',
    );
    expect(restored).toHaveLength(1);
  });

  it('is held after five in a quarter of an hour, and a person lets it go on', async () => {
    const scene = await stage(t);
    let attempt = 1;
    for (; attempt <= 5; attempt += 1) {
      expect((await dies(scene, attempt))?.attempt).toBe(attempt + 1);
      await scene.daemon.started({ taskId: scene.supervisorTaskId, attempt: attempt + 1 });
    }
    expect(await dies(scene, attempt)).toBeUndefined();
    const { id } = scene.contract;
    const blocked = await getContract(t.engine, t.owner, { id });
    expect(blocked).toMatchObject({
      status: 'blocked',
      blockedReason: expect.stringContaining('killed'),
    });
    const open = { status: 'open', contractId: id, limit: 5 } as const;
    const [question, ...others] = (await listQuestions(t.engine, t.owner, open)).items;
    expect(others).toEqual([]);
    await answerQuestion(t.engine, by(t.owner), {
      id: question?.id ?? '',
      response: 'Resume it once more',
    });
    await runJobs(t);
    expect(await getContract(t.engine, t.owner, { id })).toMatchObject({ status: 'active' });
    expect(await taskRow(t, scene.supervisorTaskId)).toMatchObject({
      status: 'starting',
      currentAttempt: 7,
    });
  });

  it('is held at once when another try would not help, until a person has looked', async () => {
    const scene = await stage(t);
    const hopeless = { outcome: 'start_failed', permanent: true, error: 'no branch x' } as const;
    await scene.daemon.ended({ taskId: scene.supervisorTaskId, attempt: 1 }, hopeless);
    await runJobs(t);
    const { id } = scene.contract;
    const why = 'It cannot be started, and another try would not help: no branch x';
    const now = await getContract(t.engine, t.owner, { id });
    expect(now).toMatchObject({ status: 'blocked', blockedReason: why });
    const open = { status: 'open', contractId: id, limit: 5 } as const;
    const [question] = (await listQuestions(t.engine, t.owner, open)).items;
    const answer = { id: question?.id ?? '', response: 'Resume it once more' };
    await answerQuestion(t.engine, by(t.owner), answer);
    await runJobs(t);
    const row = await taskRow(t, scene.supervisorTaskId);
    expect(row).toMatchObject({ status: 'starting', currentAttempt: 2 });
  });

  it('is held without a status for it, asked about once, and goes on with the answer', async () => {
    const features = { ...t.engine.settings.features, enhancedContractStatus: false };
    const settings = { ...t.engine.settings, features };
    const house: TestEngine = { ...t, engine: { ...t.engine, settings } };
    const daemon = await TestDaemon.join(t, { agents: ['held'] });
    const scene = await stage(house, { daemon, contract: { agent: 'held' } });
    const { sql } = t.database;
    let attempt = 1;
    for (; attempt <= 5; attempt += 1) {
      expect((await dies(scene, attempt))?.attempt).toBe(attempt + 1);
      await scene.daemon.started({ taskId: scene.supervisorTaskId, attempt: attempt + 1 });
    }
    expect(await dies(scene, attempt)).toBeUndefined();
    const { id } = scene.contract;
    const asks = () =>
      sql<{ id: string; status: string }[]>`
        select id, status from questions where contract_id = ${id} order by asked_at`;
    const searches = async () => {
      await sql`update tasks set pending_since = clock() - interval '1 h' where id = ${scene.supervisorTaskId}`;
      const orphans = await findOrphaned(t.engine, { limit: 10, olderThanMs: 0 });
      const broken = { limit: 10, kinds: ['way_back_missing'] as const };
      await requeueDue(house.engine, { olderThanMs: 0 });
      const mailed = await sql`
        select 1 from outbox where published_at is null and queue = 'restore-supervisor'
           and payload ->> 'taskId' = ${scene.supervisorTaskId}`;
      return [orphans.length, await auditInvariants(house.engine, broken), mailed.length];
    };
    const restored = () =>
      restoreSupervisor(house.engine, t.system, { taskId: scene.supervisorTaskId, attempt });
    expect(await searches()).toEqual([0, 0, 0]);
    expect(await asks()).toMatchObject([{ status: 'open' }]);
    const answered = async (response: string) => {
      const open = (await asks()).find(({ status }) => status === 'open');
      await answerQuestion(house.engine, by(t.owner), { id: open?.id ?? '', response });
    };
    await answered('Leave it blocked');
    expect(await searches()).toEqual([0, 0, 0]);
    expect((await restored()).result).toBe('blocked');
    expect(await asks()).toMatchObject([{ status: 'answered' }]);
    // As if nobody had answered yet.
    await sql.begin(async (tx) => {
      await tx`set local session_replication_role = replica`;
      await tx`update questions set status = 'open', response = null, answered_at = null,
                      answered_by = null, answered_by_user_id = null where contract_id = ${id}`;
    });
    await answered('Resume it once more');
    await runJobs(house);
    expect(await taskRow(t, scene.supervisorTaskId)).toMatchObject({ currentAttempt: 7 });
  });
});
