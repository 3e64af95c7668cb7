/** Reports: each once and in order, whatever the wire does; old attempts are evidence and change nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '@makima/contracts/socket/reports';
import { expireLeases } from '../daemon/expire-leases.ts';
import { getContract } from '../contract/get.ts';
import { getTask } from '../task/get.ts';
import { listConversation, listTaskOutput } from '../task/output.ts';
import { endedReport, outputReport, startedReport, TestDaemon } from '../test-daemon.ts';
import { eventsOf, openTestEngine, refusal, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { running, spawned, stage, taskRow, type Stage } from '../test-stage.ts';

let t: TestEngine;
let scene: Stage;
beforeAll(async () => {
  t = await openTestEngine();
  scene = await stage(t, { slots: 50 });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

const textOf = async (id: string): Promise<string[]> => {
  const page = await listTaskOutput(t.engine, t.owner, { id, limit: 200 });
  return page.items.map((line) => line.content);
};
const countOf = async (type: string): Promise<number> =>
  (await eventsOf(t, scene.contract.id)).filter((event) => event.type === type).length;

/** The lease of this attempt is over, and the sweep has seen it. */
const expire = async (of: { taskId: string; attempt: number }): Promise<void> => {
  await t.database.sql`update task_attempts set lease_expires_at = clock() - interval '1 s'
                        where task_id = ${of.taskId} and attempt = ${of.attempt}`;
  await expireLeases(t.engine, { limit: 100 });
};

describe('a frame', () => {
  it('that comes again, or half again, is applied once', async () => {
    const { daemon } = scene;
    const task = await running(scene);
    const from = daemon.seq + 1;
    const reports = [
      outputReport(task, 1, 'a'),
      outputReport(task, 2, 'b'),
      outputReport(task, 3, 'c'),
    ];
    daemon.seq += 3;
    expect(await daemon.send(from, reports.slice(0, 2))).toBe(from + 1);
    expect(await daemon.send(from, reports.slice(0, 2))).toBe(from + 1);
    expect(await daemon.send(from + 1, reports.slice(1))).toBe(from + 2);
    expect(await Promise.all([daemon.send(from, reports), daemon.send(from, reports)])).toEqual([
      from + 2,
      from + 2,
    ]);
    expect(await textOf(task.taskId)).toEqual(['a', 'b', 'c']);
  });

  it('that leaves a gap is refused, and says what is applied', async () => {
    const { daemon } = scene;
    const task = await running(scene);
    const error = await refusal(daemon.send(daemon.seq + 2, [outputReport(task, 1, 'x')]));
    expect(error).toMatchObject({ code: 'FENCED', details: { appliedSeq: daemon.seq } });
    expect(await textOf(task.taskId)).toEqual([]);
  });

  it('of an older connection, or of another daemon’s journal, is fenced', async () => {
    const other = await TestDaemon.join(t);
    const task = await running(scene);
    const report = [outputReport(task, 1, 'x')];
    const frame = Object.assign(Object.create(scene.daemon) as TestDaemon, {
      sessionEpoch: scene.daemon.sessionEpoch - 1,
    });
    expect((await refusal(frame.send(scene.daemon.seq + 1, report))).code).toBe('FENCED');
    const thief = Object.assign(Object.create(other) as TestDaemon, {
      journalId: scene.daemon.journalId,
    });
    expect((await refusal(thief.send(scene.daemon.seq + 1, report))).code).toBe('FENCED');
    await other.report(...report);
    expect(await textOf(task.taskId)).toEqual([]);
  });

  it('with a report that cannot be applied loses only that one, and says so', async () => {
    const { daemon } = scene;
    const task = await running(scene);
    const bad = outputReport(task, 7, 'after a gap');
    await daemon.report(outputReport(task, 1, 'one'), bad, outputReport(task, 2, 'two'));
    expect(await textOf(task.taskId)).toEqual(['one', 'two']);
    const rows = await t.database.sql`
      select detail from audit where action = 'report.set_aside' and detail ->> 'taskId' = ${task.taskId}`;
    expect(rows).toHaveLength(1);
  });

  it('that met a passing trouble is kept by its daemon, not set aside', async () => {
    const task = await running(scene);
    const { sql } = t.database;
    await sql.unsafe(`
      create function deadlock() returns trigger language plpgsql as $$ begin
        if new.status = 'done' then raise exception 'x' using errcode = '40P01'; end if;
        return new; end $$;
      create trigger deadlock before update on tasks for each row execute function deadlock()`);
    try {
      expect(await refusal(scene.daemon.ended(task))).toMatchObject({
        code: 'DEPENDENCY_UNAVAILABLE',
        retryable: true,
      });
    } finally {
      await sql.unsafe('drop trigger deadlock on tasks; drop function deadlock');
    }
    const { daemon } = scene;
    expect(await daemon.send(daemon.seq, [endedReport(task)])).toBe(daemon.seq);
    expect((await taskRow(t, task.taskId)).status).toBe('done');
  });

  it('keeps what Postgres cannot store', async () => {
    const task = await running(scene);
    await scene.daemon.report(outputReport(task, 1, 'a\0b', 'half \ud800 pair'));
    expect(await textOf(task.taskId)).toEqual(['a\ufffdb', 'half \ufffd pair']);
  });

  it('arrives whole through drops, repetitions and disorder', async () => {
    const { daemon } = scene;
    const task = await running(scene);
    const lines = Array.from({ length: 60 }, (_, i) => `line ${i + 1}`);
    const reports: Report[] = lines.map((line, i) => outputReport(task, i + 1, line));
    const first = daemon.seq + 1;
    const last = (daemon.seq += reports.length);
    const random = chance(20_261_121);
    let applied = first - 1;
    while (applied < last) {
      const tries = Array.from({ length: 4 }, () => {
        const at = Math.max(
          first,
          applied + 1 - Math.floor(random() * 6) + Math.floor(random() * 4),
        );
        const count = 1 + Math.floor(random() * 8);
        return daemon.send(at, reports.slice(at - first, at - first + count)).catch(() => applied);
      });
      applied = Math.max(applied, ...(await Promise.all(tries)));
    }
    expect(await textOf(task.taskId)).toEqual(lines);
  });
});

describe('an attempt that was given up', () => {
  it('is evidence when it reports late, and changes nothing', async () => {
    const { daemon } = scene;
    const first = await running(scene, { name: 'late' });
    await daemon.report(outputReport(first, 1, 'before'));
    await expire(first);
    await runJobs(t);
    const [second] = (await daemon.pullOnly('task.start')).filter((s) => s.taskId === first.taskId);
    expect(second).toMatchObject({ attempt: 2, resumeSession: true });
    await daemon.started(second ?? first);
    await daemon.report(
      startedReport(first),
      outputReport(first, 2, 'late words'),
      {
        kind: 'task.turn_ended',
        ...fenceOf(first),
        outcome: 'completed',
        text: 'late turn',
        error: null,
        usage: null,
      },
      endedReport(first, { summary: 'late result', keptRef: 'refs/makima/kept/x' }),
    );
    expect(await getTask(t.engine, t.owner, { id: first.taskId })).toMatchObject({
      status: 'running',
      attempt: 2,
      outputSummary: null,
      attempts: [
        { attempt: 1, state: 'lost' },
        { attempt: 2, state: 'running' },
      ],
    });
    const [row] = await t.database.sql`
      select superseded, summary from task_attempts where task_id = ${first.taskId} and attempt = 1`;
    expect(row).toEqual({ superseded: true, summary: 'late result' });
    expect(await textOf(first.taskId)).toEqual(['before', 'late words']);
    const talk = await listConversation(t.engine, t.owner, { id: first.taskId, limit: 50 });
    expect(talk.items.map((m) => m.content)).toEqual(['Build it.', 'before']);
    const late = (await eventsOf(t, scene.contract.id)).filter((e) => e.type === 'task.late');
    expect(late.at(-1)?.data).toMatchObject({
      attempt: 1,
      current: 2,
      keptRef: 'refs/makima/kept/x',
    });
    expect(
      (await getContract(t.engine, t.owner, { id: scene.contract.id })).keptRefs,
    ).toContainEqual(expect.objectContaining({ ref: 'refs/makima/kept/x' }));
    await daemon.ended(second ?? first);
    expect((await taskRow(t, first.taskId)).status).toBe('done');
  });

  it('ends once: a second word on its end is late', async () => {
    const task = await running(scene, { name: 'twice' });
    const completed = await countOf('task.completed');
    await scene.daemon.report(
      endedReport(task),
      endedReport(task, { outcome: 'failed', error: 'no' }),
    );
    expect(await taskRow(t, task.taskId)).toMatchObject({ status: 'done', errorMessage: null });
    expect(await countOf('task.completed')).toBe(completed + 1);
  });

  it('cannot be spoken for by another daemon', async () => {
    const other = await TestDaemon.join(t);
    const task = await running(scene, { name: 'mine' });
    await other.report(endedReport(task), outputReport(task, 1, 'theirs'));
    expect(await taskRow(t, task.taskId)).toMatchObject({ status: 'running', outputSummary: null });
    expect(await textOf(task.taskId)).toEqual([]);
  });
});

describe('a supervisor whose turn is over', () => {
  const turnEnded = async (): Promise<void> => {
    const fence = { taskId: scene.supervisorTaskId, attempt: 1 };
    await scene.daemon.report({
      kind: 'task.turn_ended',
      ...fence,
      outcome: 'completed',
      text: 'I wait.',
      error: null,
      usage: null,
    });
  };
  const news = async (taskId: string): Promise<number> => {
    const rows = await t.database.sql`
      select 1 from agent_messages where source = 'task' and source_id = ${taskId}`;
    return rows.length;
  };

  it('is told of a task that ends, whether before or after the turn, once', async () => {
    const during = await running(scene, { name: 'during' });
    const after = await running(scene, { name: 'after' });
    await scene.daemon.ended(during);
    expect(await news(during.taskId)).toBe(0);
    await turnEnded();
    expect(await news(during.taskId)).toBe(1);
    await scene.daemon.ended(after, { outcome: 'failed', error: 'broken' });
    expect(await news(after.taskId)).toBe(1);
    await turnEnded();
    expect([await news(during.taskId), await news(after.taskId)]).toEqual([1, 1]);
  });

  it('is told when the turn and the task end at once', async () => {
    for (let round = 0; round < 10; round += 1) {
      // Another daemon’s journal, so that both are applied at the same time.
      const other = await TestDaemon.join(t, { slots: 1, agents: [`only-${round}`] });
      const task = await spawned(scene, { name: `race ${round}`, agent: `only-${round}` });
      await t.database
        .sql`update tasks set local_path = null, repository_url = 'https://example.org/x' where id = ${task.id}`;
      await t.database
        .sql`update supervisors set state = 'working' where task_id = ${scene.supervisorTaskId}`;
      await runJobs(t);
      const [start] = await other.pullOnly('task.start');
      if (start === undefined) throw new Error('no place');
      await other.started(start);
      await Promise.all([turnEnded(), other.ended(start)]);
      expect(await news(task.id)).toBe(1);
    }
  });
});

function fenceOf({ taskId, attempt }: { taskId: string; attempt: number }) {
  return { taskId, attempt };
}

/** A small generator of chance with a seed, so that a failure can be seen again. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}
