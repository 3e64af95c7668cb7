/**
 * Give pending tasks their places (M2.4): the placement rule over capacity, exclusions, priority and
 * fairness decides; each assignment is attempt + 1, a lease and a command to its daemon, committed before
 * anything is sent.
 *
 * Law: one assigner at a time per owner, so that capacity is never counted twice.
 */
import { channels } from '@makima/contracts/channels';
import { mayWork } from '@makima/domain/contract';
import type { Unplaced } from '@makima/domain/placement';
import { traceId } from '@makima/contracts/trace';
import { insertAttempt } from '@makima/db/repo/attempts';
import { appendCommand } from '@makima/db/repo/daemons';
import { contractsByIds } from '@makima/db/repo/contracts';
import { revokeToolKeys } from '@makima/db/repo/keys';
import { lockOwnerForPlacement } from '@makima/db/repo/locks';
import { setEpoch } from '@makima/db/repo/supervisors';
import { changeTask } from '@makima/db/repo/tasks';
import type { ContractRow, DaemonRow, TaskRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Engine } from '../context.ts';
import type { System } from '../principal.ts';
import { sendWaiting } from '../message/send.ts';
import { lookForPlaces, type PlacementLook } from './placement-facts.ts';
import { beginningOf } from './beginning.ts';
import { startCommand } from './start-command.ts';
import { tellMoved } from './tell-moved.ts';

/** So many tasks one run looks at, and as many again while none of them has a place. */
export const placementBatch = 200;
const placementPagesMax = 25;
/** So many are written at once on the one connection: what each waits for is mostly the way to the store. */
const sideBySide = 20;

export interface Assigned {
  readonly assigned: readonly { taskId: string; daemonId: string; attempt: number }[];
  readonly unplaced: readonly Unplaced[];
}

export function assignPending(engine: Engine, caller: System): Promise<Acted<Assigned>> {
  return act(engine, { caller }, async (a) => {
    await lockOwnerForPlacement(a.tx, { ownerId: a.ownerId });
    const { rows, daemons, placement } = await firstPlaceable(a);
    const tasks = new Map(rows.map((row) => [row.id, row]));
    const machines = new Map(daemons.map((row) => [row.id, row]));
    const placed = placement.assignments.flatMap(({ taskId, daemonId }) => {
      const task = tasks.get(taskId);
      const daemon = machines.get(daemonId);
      return task === undefined || daemon === undefined ? [] : [{ task, daemon }];
    });
    // Read after the tasks were locked: a pause that came in between is seen here, or waits for us.
    const contracts = await contractsOf(a, placed);
    const due = placed.filter(({ task }) => mayStart(contracts, task));
    const assigned: Assigned['assigned'][number][] = [];
    for (let from = 0; from < due.length; from += sideBySide) {
      const some = due.slice(from, from + sideBySide);
      // All end before one of them may fail: none writes on the connection once it is rolled back.
      const ended = await Promise.allSettled(
        some.map(({ task, daemon }) =>
          assign(a, task, contracts.get(task.contractId ?? ''), daemon),
        ),
      );
      for (const one of ended) {
        if (one.status === 'rejected') throw one.reason;
        assigned.push(one.value);
      }
    }
    return { assigned, unplaced: placement.unplaced };
  });
}

function mayStart(contracts: ReadonlyMap<string, ContractRow>, task: TaskRow): boolean {
  const contract = contracts.get(task.contractId ?? '');
  return contract === undefined || (mayWork(contract.status) && contract.budgetHeldAt === null);
}

/** The first page of pending tasks of which at least one has a place: those before it hold up nobody. */
async function firstPlaceable(a: Act): Promise<PlacementLook> {
  const unplaced: Unplaced[] = [];
  for (let page = 0; ; page += 1) {
    const look = await lookForPlaces(a.tx, {
      ownerId: a.ownerId,
      now: a.now,
      limit: placementBatch,
      offset: page * placementBatch,
      lock: 'claim',
    });
    unplaced.push(...look.placement.unplaced);
    const { assignments } = look.placement;
    const last = look.rows.length < placementBatch || page + 1 >= placementPagesMax;
    if (last || assignments.length > 0 || look.daemons.length === 0)
      return { ...look, placement: { assignments, unplaced } };
  }
}

async function assign(
  a: Act,
  task: TaskRow,
  contract: ContractRow | undefined,
  daemon: DaemonRow,
): Promise<Assigned['assigned'][number]> {
  const attempt = task.currentAttempt + 1;
  const daemonId = daemon.id;
  await insertAttempt(a.tx, {
    taskId: task.id,
    attempt,
    ownerId: a.ownerId,
    daemonId,
    sessionEpoch: daemon.sessionEpoch,
    sessionId: task.sessionId,
    leaseMs: a.engine.settings.leaseMs,
  });
  const beginning = await beginningOf(a.tx, { task, contract, daemonId });
  await tellMoved(a, task, beginning);
  const started = await startCommand(a.tx, {
    task,
    contract,
    attempt,
    beginning,
    loopRoundsMax: a.engine.limits.loopRoundsMax,
  });
  const command = { ...started, ...traceOf(a, task) };
  await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    attempt: task.currentAttempt,
    from: ['pending'],
    set: {
      status: 'starting',
      currentAttempt: attempt,
      homeDaemonId: daemonId,
      targetDaemonId: null,
      branch: command.branch,
      session: 'live',
    },
  });
  await revokeToolKeys(a.tx, { taskId: task.id, belowAttempt: attempt });
  if (task.isSupervisor) await setEpoch(a.tx, { taskId: task.id, epoch: attempt });
  await appendCommand(a.tx, { ownerId: a.ownerId, daemonId, command, taskId: task.id, attempt });
  await sendWaiting(a, { taskId: task.id, attempt, daemonId });
  a.emit('task.assigned', {
    contractId: task.contractId,
    taskId: task.id,
    data: { attempt, daemonId, name: task.name },
  });
  a.hint(channels.daemonWake(daemonId));
  return { taskId: task.id, daemonId, attempt };
}

async function contractsOf(
  a: Act,
  placed: readonly { readonly task: TaskRow }[],
): Promise<Map<string, ContractRow>> {
  const ids = [...new Set(placed.flatMap(({ task }) => task.contractId ?? []))];
  const rows = await contractsByIds(a.tx, { ownerId: a.ownerId, ids });
  return new Map(rows.map((row) => [row.id, row]));
}

/** Many are placed at once by the ticket of one: of each its own trace, by way of the ticket where that is its. */
function traceOf(a: Act, { trace }: TaskRow): { readonly trace?: string } {
  if (trace === null) return {};
  const isOwn = a.traceparent !== undefined && traceId(a.traceparent) === traceId(trace);
  return { trace: isOwn ? a.traceparent : trace };
}
