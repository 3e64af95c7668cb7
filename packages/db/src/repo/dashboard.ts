/**
 * What a dashboard shows of an owner, each in one statement that costs what it shows, not what there is.
 *
 * Law: no count over rows that only grow: contracts are counted by tallies, tasks by partial indexes of what is
 * open.
 */
import type { WaitingFor } from '@makima/domain/contract';
import type { Queryable } from '../client.ts';

export interface WaitingRow {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly phase: string;
  readonly waitingFor: WaitingFor;
  readonly statusChangedAt: Date;
  readonly question: string | null;
}

/** Contracts that wait for a person, the longest first. */
export async function waitingContracts(
  db: Queryable,
  args: { ownerId: string; limit: number },
): Promise<WaitingRow[]> {
  return db<WaitingRow[]>`
    select c.id, c.slug, c.name, c.phase, c.waiting_for, c.status_changed_at,
           (select q.question from questions q where q.contract_id = c.id and q.status = 'open' and not q.non_blocking
             order by q.asked_at limit 1) as question
      from contracts c where c.owner_id = ${args.ownerId} and c.status = 'waiting_for_input'
     order by c.status_changed_at limit ${args.limit}`;
}

export interface StaleRow {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly phase: string;
  readonly lastProgressAt: Date;
}

/** Contracts with an open incident of this kind, the longest first. */
export async function incidentContracts(
  db: Queryable,
  args: { ownerId: string; kind: string; limit: number },
): Promise<StaleRow[]> {
  return db<StaleRow[]>`
    select c.id, c.slug, c.name, c.phase, a.last_progress_at
      from (select owner_id, subject, opened_at from incidents
             where owner_id = ${args.ownerId} and kind = ${args.kind} and closed_at is null
             order by opened_at limit ${args.limit}) i
      join contracts c on c.owner_id = i.owner_id and c.id = i.subject::uuid
      join contract_activity a on a.contract_id = c.id
     order by i.opened_at`;
}

export interface UsageRow {
  readonly activeSupervisors: number;
  readonly runningTasks: number;
  readonly pendingTasks: number;
  readonly activeDaemons: number;
  readonly totalWorktrees: number;
}

export async function resourceUsage(db: Queryable, args: { ownerId: string }): Promise<UsageRow> {
  const [row] = await db<UsageRow[]>`
    select b.active_supervisors, b.running_tasks, b.total_worktrees,
           (select count(*)::int from tasks where owner_id = ${args.ownerId} and status = 'pending') as pending_tasks,
           (select count(*)::int from daemons where owner_id = ${args.ownerId} and status = 'connected') as active_daemons
      from (select count(*) filter (where is_supervisor and status in ('starting', 'running'))::int as active_supervisors,
                   count(*) filter (where status in ('starting', 'running'))::int as running_tasks,
                   count(*)::int as total_worktrees
              from tasks where owner_id = ${args.ownerId} and status in ('starting', 'running', 'interrupted', 'paused')) b`;
  if (row === undefined) throw new Error('a count has no row');
  return row;
}
