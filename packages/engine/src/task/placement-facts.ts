/**
 * What the placement rule looks at, read from rows: pending tasks that could start, and the places that
 * daemons have. The assigner claims the tasks; `why` only looks.
 */
import {
  place,
  type DaemonSlot,
  type PendingTask,
  type Placement,
  type Unplaced,
} from '@makima/domain/placement';
import { limitsOf } from '@makima/db/repo/agent-limits';
import { daemonLoad, daemonsOf } from '@makima/db/repo/daemons';
import {
  placeableTasks,
  runningByContract,
  supervisorHomes,
  type PlaceableRow,
} from '@makima/db/repo/tasks';
import type { Queryable } from '@makima/db/client';
import type { AgentLimitRow, DaemonRow, TaskRow } from '@makima/db/rows';
import { accountOf } from '../limit/account.ts';

export interface PlacementLook {
  readonly rows: readonly TaskRow[];
  /** The connected ones. */
  readonly daemons: readonly DaemonRow[];
  readonly placement: Placement;
}

/**
 * `claim` locks the tasks that it takes and leaves out those that somebody else holds, or whose time has not
 * come. `offset`: so many tasks of the order were looked at before. Of one contract alone: as if nobody else waited.
 */
export async function lookForPlaces(
  db: Queryable,
  args: {
    ownerId: string;
    contractId?: string;
    now: Date;
    limit: number;
    offset?: number;
    lock: 'claim' | 'none';
  },
): Promise<PlacementLook> {
  const { ownerId } = args;
  const rows = await placeableTasks(db, args);
  if (rows.length === 0) return { rows, daemons: [], placement: { assignments: [], unplaced: [] } };
  const contractIds = [...new Set(rows.flatMap((row) => row.contractId ?? []))];
  const [all, load, running, homes, limits] = await Promise.all([
    daemonsOf(db, { ownerId }),
    daemonLoad(db, { ownerId }),
    runningByContract(db, { ownerId, contractIds }),
    supervisorHomes(db, { ownerId, contractIds }),
    limitsOf(db, { ownerId }),
  ]);
  const daemons = all.filter((daemon) => daemon.status === 'connected');
  const slots = daemons.map((daemon) => slotOf(daemon, load.get(daemon.id), limits));
  // A machine that was revoked never comes back: nothing waits for it.
  const gone = new Set(all.filter((daemon) => daemon.status === 'revoked').map(({ id }) => id));
  const pending = rows.map((row) => pendingOf(row, { running, homes, slots, gone }));
  const { assignments, unplaced } = place(pending, slots, args.now);
  const names = new Map(all.map(({ id, name }) => [id, name]));
  return { rows, daemons, placement: { assignments, unplaced: unplaced.map(namedBy(names)) } };
}

/** Whoever reads why a task waits knows machines by their names. */
const namedBy =
  (names: ReadonlyMap<string, string>) =>
  ({ taskId, reason }: Unplaced): Unplaced =>
    reason.kind === 'waits_for_its_daemon'
      ? { taskId, reason: { ...reason, daemonName: names.get(reason.daemonId) } }
      : { taskId, reason };

function slotOf(
  daemon: DaemonRow,
  load: { running: number; supervisors: number } | undefined,
  limits: readonly AgentLimitRow[],
): DaemonSlot {
  return {
    limited: limits
      .filter(({ agent, account }) => account === accountOf(daemon, agent))
      .map(({ agent, until }) => ({ agent, until })),
    daemonId: daemon.id,
    maxConcurrent: daemon.maxConcurrentTasks,
    running: load?.running ?? 0,
    runningSupervisors: load?.supervisors ?? 0,
    agents: daemon.agents.filter((agent) => agent.available).map((agent) => agent.kind),
  };
}

/**
 * A contract's tasks are best placed beside its supervisor, where the branches are. What exists on one machine
 * only binds a task to it: a path, the work that it continues from, the directory that it shares.
 */
function pendingOf(
  row: PlaceableRow,
  around: {
    readonly running: ReadonlyMap<string, number>;
    readonly homes: ReadonlyMap<string, string>;
    readonly slots: readonly DaemonSlot[];
    readonly gone: ReadonlySet<string>;
  },
): PendingTask {
  const { running, homes, slots, gone } = around;
  const beside = row.contractId === null ? undefined : homes.get(row.contractId);
  // Another's directory exists where that other works.
  const shared = row.supervisorWorktreeTaskId === null ? undefined : beside;
  // The work that it continues from, until its own directory is made from it.
  const source = row.sessionStartedAt === null ? row.sourceDaemonId : null;
  const home =
    [shared, row.homeDaemonId, source, beside].find((id) => id != null && !gone.has(id)) ??
    undefined;
  // While its machine is there it waits for room on it; when that is gone it begins anew elsewhere.
  const keeps = row.isSessionThereOnly && slots.some(({ daemonId }) => daemonId === home);
  const isBound = row.localPath !== null || home === shared || home === source || keeps;
  // A person's choice goes before everything, while that machine may still come.
  const chosen = row.targetDaemonId;
  const target = chosen === null || gone.has(chosen) ? null : chosen;
  const bound = target ?? (isBound && home !== undefined && slots.length > 0 ? home : null);
  return {
    taskId: row.id,
    contractId: row.contractId ?? row.id,
    isSupervisor: row.isSupervisor,
    priority: row.priority,
    pendingSince: row.pendingSince,
    agent: row.agent,
    failedDaemonIds: row.failedDaemonIds.filter((id) => id !== target),
    preferredDaemonId: home ?? null,
    boundDaemonId: bound,
    notBefore: row.resumeAt,
    contractRunning: row.contractId === null ? 0 : (running.get(row.contractId) ?? 0),
  };
}
