/**
 * Give pending tasks their places (M2.4): the placement rule over capacity, exclusions, priority and
 * fairness decides; each assignment is attempt + 1, a lease and a command to its daemon, committed before
 * anything is sent.
 *
 * Law: one assigner at a time per owner, so that capacity is never counted twice.
 */
import { channels } from '@makima/contracts/channels';
import { place, type DaemonSlot, type PendingTask, type Unplaced } from '@makima/domain/placement';
import { insertAttempt } from '@makima/db/repo/attempts';
import { appendCommand, daemonLoad, daemonsOf } from '@makima/db/repo/daemons';
import { findContract } from '@makima/db/repo/contracts';
import { revokeToolKeys } from '@makima/db/repo/keys';
import { lockOwnerForPlacement } from '@makima/db/repo/locks';
import { setEpoch } from '@makima/db/repo/supervisors';
import { changeTask, placeableTasks, tasksByIds } from '@makima/db/repo/tasks';
import type { ContractRow, DaemonRow, TaskRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Engine } from '../context.ts';
import type { System } from '../principal.ts';
import { startCommand } from './start-command.ts';

/** Most tasks that one run looks at. */
export const placementBatch = 200;

export interface Assigned {
  readonly assigned: readonly { taskId: string; daemonId: string; attempt: number }[];
  readonly unplaced: readonly Unplaced[];
}

export function assignPending(engine: Engine, caller: System): Promise<Acted<Assigned>> {
  return act(engine, { caller }, async (a) => {
    await lockOwnerForPlacement(a.tx, { ownerId: a.ownerId });
    const rows = await placeableTasks(a.tx, { ownerId: a.ownerId, limit: placementBatch });
    if (rows.length === 0) return { assigned: [], unplaced: [] };
    const slots = await daemonSlots(a);
    const homes = await contractHomes(a, rows);
    const placed = place(
      rows.map((row) => pendingOf(row, homes, slots)),
      slots,
      a.now,
    );
    const contracts = new Map<string, ContractRow | undefined>();
    const assigned: Assigned['assigned'][number][] = [];
    for (const { taskId, daemonId } of placed.assignments) {
      const task = rows.find((row) => row.id === taskId);
      if (task === undefined) continue;
      assigned.push(await assign(a, task, await contractOf(a, contracts, task), daemonId));
    }
    return { assigned, unplaced: placed.unplaced };
  });
}

async function assign(a: Act, task: TaskRow, contract: ContractRow | undefined, daemonId: string) {
  const attempt = task.currentAttempt + 1;
  const daemon = (await daemonsOf(a.tx, { ownerId: a.ownerId })).find((d) => d.id === daemonId);
  await insertAttempt(a.tx, {
    taskId: task.id,
    attempt,
    ownerId: a.ownerId,
    daemonId,
    sessionEpoch: daemon?.sessionEpoch ?? 0,
    leaseMs: a.engine.settings.leaseMs,
  });
  const command = await startCommand(a.tx, { task, contract, attempt, daemonId });
  await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    attempt: task.currentAttempt,
    from: ['pending'],
    set: {
      status: 'starting',
      currentAttempt: attempt,
      homeDaemonId: daemonId,
      branch: command.branch,
      session: 'live',
    },
  });
  await revokeToolKeys(a.tx, { taskId: task.id, belowAttempt: attempt });
  if (task.isSupervisor) await setEpoch(a.tx, { taskId: task.id, epoch: attempt });
  await appendCommand(a.tx, { ownerId: a.ownerId, daemonId, command, taskId: task.id, attempt });
  a.emit('task.assigned', {
    contractId: task.contractId,
    taskId: task.id,
    data: { attempt, daemonId, name: task.name },
  });
  a.hint(channels.daemonWake(daemonId));
  return { taskId: task.id, daemonId, attempt };
}

async function daemonSlots(a: Act): Promise<DaemonSlot[]> {
  const [daemons, load] = await Promise.all([
    daemonsOf(a.tx, { ownerId: a.ownerId }),
    daemonLoad(a.tx, { ownerId: a.ownerId }),
  ]);
  return daemons.filter((d) => d.status === 'connected').map((d) => slotOf(d, load.get(d.id)));
}

function slotOf(
  daemon: DaemonRow,
  load: { running: number; supervisors: number } | undefined,
): DaemonSlot {
  return {
    daemonId: daemon.id,
    maxConcurrent: daemon.maxConcurrentTasks,
    running: load?.running ?? 0,
    runningSupervisors: load?.supervisors ?? 0,
    agents: daemon.agents.filter((agent) => agent.available).map((agent) => agent.kind),
  };
}

/** Where each contract's supervisor runs: its tasks are best placed beside it, where the branches are. */
async function contractHomes(a: Act, rows: readonly TaskRow[]): Promise<Map<string, string>> {
  const homes = new Map<string, string>();
  for (const contractId of new Set(rows.map((row) => row.contractId))) {
    if (contractId === null) continue;
    const contract = await findContract(a.tx, { ownerId: a.ownerId, id: contractId });
    if (contract?.supervisorTaskId === null || contract === undefined) continue;
    const [supervisor] = await tasksByIds(a.tx, {
      ownerId: a.ownerId,
      ids: [contract.supervisorTaskId],
    });
    if (supervisor?.homeDaemonId != null) homes.set(contractId, supervisor.homeDaemonId);
  }
  return homes;
}

/** A path exists on one machine only: such a task is bound to the daemon where its contract began. */
function pendingOf(
  row: TaskRow & { contractRunning: number },
  homes: Map<string, string>,
  slots: readonly DaemonSlot[],
): PendingTask {
  const home =
    row.homeDaemonId ?? (row.contractId === null ? undefined : homes.get(row.contractId));
  const bound = row.localPath !== null && home !== undefined && slots.length > 0 ? home : null;
  return {
    taskId: row.id,
    contractId: row.contractId ?? row.id,
    isSupervisor: row.isSupervisor,
    priority: row.priority,
    pendingSince: row.pendingSince,
    agent: row.agent,
    failedDaemonIds: row.failedDaemonIds,
    preferredDaemonId: home ?? null,
    boundDaemonId: bound,
    notBefore: row.resumeAt,
    contractRunning: row.contractRunning,
  };
}

async function contractOf(
  a: Act,
  known: Map<string, ContractRow | undefined>,
  task: TaskRow,
): Promise<ContractRow | undefined> {
  if (task.contractId === null) return undefined;
  if (!known.has(task.contractId)) {
    known.set(
      task.contractId,
      await findContract(a.tx, { ownerId: a.ownerId, id: task.contractId }),
    );
  }
  return known.get(task.contractId);
}
