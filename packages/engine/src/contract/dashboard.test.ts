/** The dashboard: counts that agree with the rows whatever happened, what waits, what is stale, and nothing of others. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { foldTallies, talliesOf } from '@makima/db/repo/tallies';
import { zDashboard } from '@makima/contracts/entity/dashboard';
import { changeStatus } from './change-status.ts';
import { readDashboard } from './dashboard.ts';
import { watchStale } from './stale.ts';
import { askQuestion } from '../question/ask.ts';
import { zAskInput } from '@makima/contracts/entity/question';
import { brokenInvariants } from '../test-invariants.ts';
import { by, newContract, openTestEngine, stranger, type TestEngine } from '../test-engine.ts';
import { TestDaemon } from '../test-daemon.ts';
import { stage } from '../test-stage.ts';

let t: TestEngine;
beforeAll(async () => {
  t = await openTestEngine();
});
afterAll(() => t.close());

const dashboard = async () => {
  const read = await readDashboard(t.engine, t.owner);
  expect(zDashboard.parse(read)).toEqual(read);
  return read;
};

it('counts by status and phase, before and after counts are added up', async () => {
  // One after the other: names are given under one lock of the owner.
  const made = [];
  for (let n = 0; n < 12; n += 1) made.push(await newContract(t));
  const pause = (id: string) =>
    changeStatus(t.engine, by(t.owner), { id, targetStatus: 'paused', reason: 'test' });
  await Promise.all([
    ...made.slice(0, 4).map(({ id }) => pause(id)),
    ...Array.from({ length: 5 }, () => foldTallies(t.database.sql, { limit: 100 })),
  ]);
  await changeStatus(t.engine, by(t.owner), { id: made[5]?.id ?? '', targetStatus: 'failed' });
  const counts = { active: 7, paused: 4, failed: 1 };
  expect(await dashboard()).toMatchObject({ statusCounts: counts, phaseCounts: { plan: 7 } });
  await foldTallies(t.database.sql, { limit: 100 });
  expect((await dashboard()).statusCounts).toEqual(counts);
  expect(await foldTallies(t.database.sql, { limit: 100 })).toBe(0);
  expect(await brokenInvariants(t)).toEqual({});
  await t.database.sql`delete from contracts where id = ${made[0]?.id ?? ''}`;
  expect((await dashboard()).statusCounts).toEqual({ ...counts, paused: 3 });
});

it('names what waits, what is stale, what happened last and what is in use', async () => {
  const daemon = await TestDaemon.join(t, { slots: 20 });
  const { contract, supervisor, supervisorTaskId } = await stage(t, { daemon });
  await askQuestion(t.engine, by(supervisor), zAskInput.parse({ question: 'Which way?' }));
  const { id: silent } = await newContract(t);
  await t.database.sql`update contract_activity set last_progress_at = clock() - interval '2 hours'
                        where contract_id = ${silent}`;
  await watchStale(t.engine, { limit: 10 });
  const seen = await dashboard();
  expect(seen.waitingForInput).toMatchObject([
    { id: contract.id, waitingFor: 'question', question: 'Which way?', attention: 'needs_you' },
  ]);
  expect(seen.staleContracts).toMatchObject([{ id: silent, attention: 'stale' }]);
  expect(seen.staleContracts[0]?.staleDurationSecs).toBeGreaterThanOrEqual(7_200);
  expect(seen.recentEvents[0]).toMatchObject({ type: 'stale_detected', contract_id: silent });
  const rows = await t.database.sql<{ id: string; status: string; isSupervisor: boolean }[]>`
    select id, status, is_supervisor from tasks`;
  const at = (...statuses: string[]) => rows.filter((row) => statuses.includes(row.status));
  expect(rows.find((row) => row.id === supervisorTaskId)?.status).toBe('running');
  expect(seen.resourceUsage).toEqual({
    activeSupervisors: at('starting', 'running').filter((row) => row.isSupervisor).length,
    runningTasks: at('starting', 'running').length,
    pendingTasks: at('pending').length,
    activeDaemons: 1,
    totalWorktrees: at('starting', 'running', 'interrupted', 'paused').length,
  });
  const theirs = await readDashboard(t.engine, await stranger(t));
  expect(theirs).toMatchObject({ statusCounts: {}, staleContracts: [], recentEvents: [] });
});

it('counts phase changes, completions and restorations as they come about', async () => {
  const { sql } = t.database;
  const { id } = await newContract(t);
  await sql`insert into phase_changes (owner_id, contract_id, from_phase, to_phase, version, guarded, by_kind)
            values (${t.ownerId}, ${id}, 'plan', 'execute', 2, false, 'person')`;
  expect(await talliesOf(sql, { ownerId: t.ownerId, kind: 'phase_change' })).toEqual([
    { one: 'plan', two: 'execute', n: 1 },
  ]);
  const count = async (kind: 'completion' | 'restoration'): Promise<number> =>
    (await talliesOf(sql, { ownerId: t.ownerId, kind }))[0]?.n ?? 0;
  await sql`update contracts set status = 'completing', completion_detected_at = clock() where id = ${id}`;
  expect(await count('completion')).toBe(1);
  await sql`insert into restorations (task_id, epoch, owner_id, strategy, notice_message_id, requested_by)
            select supervisor_task_id, 7, owner_id, 'test', gen_random_uuid(), 'test' from contracts where id = ${id}`;
  expect(await count('restoration')).toBe(1);
});

it('Dashboard response time: it reads no table of history from end to end', async () => {
  const { sql } = t.database;
  const { id } = await newContract(t);
  await sql.begin(async (tx) => {
    // A history, without what follows from it.
    await tx`set local session_replication_role = replica`;
    await tx`insert into tasks (owner_id, contract_id, name, plan, agent, status, is_supervisor)
             select ${t.ownerId}, ${id}, 'n', 'p', 'scripted', 'done', false from generate_series(1, 5000)`;
    await tx`insert into events (owner_id, contract_id, seq, type, actor, data)
             select ${t.ownerId}, ${id}, 1000 + n, 'wait.started', '{"kind":"system","id":null,"name":"test"}', '{}'
               from generate_series(1, 20000) n`;
  });
  await sql`analyze tasks, events`;
  await sql.begin(async (tx) => {
    // Also counts what this connection did in the last second before: what counts is what is added.
    const scans = async (): Promise<Record<string, number>> => {
      const rows = await tx<{ name: string; n: number }[]>`
        select relname as name, seq_scan::int as n from pg_stat_xact_user_tables
         where relname in ('tasks', 'events')`;
      return Object.fromEntries(rows.map(({ name, n }) => [name, n]));
    };
    const before = await scans();
    const database = { ...t.database, sql: tx as unknown as typeof sql };
    await readDashboard({ ...t.engine, database }, t.owner);
    expect(await scans()).toEqual(before);
    // What would be seen if it did.
    await tx`select count(*) from tasks where plan = 'x'`;
    expect(await scans()).toEqual({ ...before, tasks: (before.tasks ?? 0) + 1 });
  });
});
