/**
 * Supervisors that wait give up their process: their daemon is asked to end it, and the report of its end
 * makes them `parked`. Sweep of the scheduler. On a machine that is full while others wait for a place there
 * they do so soon.
 *
 * Law: only a wish. The rows change with the report; a daemon whose agent works after all, or whose kind of
 * agent cannot be resumed, does nothing, and is asked again later.
 */
import { channels } from '@makima/contracts/channels';
import { crowdedParkMs, mayPark, patienceNow } from '@makima/domain/parking';
import { crowdedDaemons } from '@makima/domain/placement';
import { mayWork } from '@makima/domain/contract';
import { databaseTime } from '@makima/db/repo/clock';
import { findContract } from '@makima/db/repo/contracts';
import { appendCommand } from '@makima/db/repo/daemons';
import {
  askPark,
  longWaiting,
  ownersInWant,
  pendingOf,
  type WaitingSupervisor,
} from '@makima/db/repo/parking';
import { lockSupervisor } from '@makima/db/repo/supervisors';
import { lockTask } from '@makima/db/repo/tasks';
import type { ContractRow } from '@makima/db/rows';
import { act, type Act, type Engine, type Settings } from '../context.ts';
import { eachRow } from '../each-row.ts';
import { placementBatch } from '../task/assign.ts';
import { lookForPlaces } from '../task/placement-facts.ts';

/** So long a daemon that did not park is left alone. */
const patienceMs = 60_000;
const graceMs = 5_000;

/** Answers how many daemons were asked. */
export async function parkWaiting(engine: Engine, input: { limit: number }): Promise<number> {
  const { parkAfterMs } = engine.settings;
  const { sql } = engine.database;
  const crowded = await crowdedMachines(engine, input.limit);
  const times = { parkAfterMs, crowdedMs: crowdedParkMs, patienceMs };
  const rows = await longWaiting(sql, { ...times, crowdedIds: [...crowded], ...input });
  let asked = 0;
  await eachRow(rows, async (row) => {
    const caller = { kind: 'system', ownerId: row.ownerId, name: 'park-waiting' } as const;
    const { result } = await act(engine, { caller }, (a) => park(a, row, crowded));
    if (result) asked += 1;
  });
  return asked;
}

/** By the placement rule itself, of each owner for whom it matters. */
async function crowdedMachines(engine: Engine, limit: number): Promise<ReadonlySet<string>> {
  const { sql } = engine.database;
  const crowded = new Set<string>();
  if (engine.settings.parkAfterMs === null) return crowded;
  const waitedMs = Math.min(engine.settings.parkAfterMs, crowdedParkMs);
  for (const ownerId of await ownersInWant(sql, { waitedMs, limit })) {
    const now = await databaseTime(sql);
    const look = { ownerId, now, limit: placementBatch, lock: 'none' } as const;
    for (const id of crowdedDaemons((await lookForPlaces(sql, look)).placement)) crowded.add(id);
  }
  return crowded;
}

async function park(
  a: Act,
  { taskId, attempt }: WaitingSupervisor,
  crowded: ReadonlySet<string>,
): Promise<boolean> {
  const task = await lockTask(a.tx, { ownerId: a.ownerId, id: taskId });
  const live = task?.status === 'running' && task.session === 'live';
  if (!live || task.contractId === null || task.homeDaemonId === null) return false;
  if (task.currentAttempt !== attempt) return false;
  const contract = await findContract(a.tx, { ownerId: a.ownerId, id: task.contractId });
  if (contract === undefined || !waits(contract)) return false;
  // Held: a wait that ends meanwhile is seen here, or comes after this and counts as come.
  await lockSupervisor(a.tx, { ownerId: a.ownerId, taskId });
  const facts = await pendingOf(a.tx, { taskId });
  const machine = crowded.has(task.homeDaemonId) ? 'crowded' : 'roomy';
  const parkAfterMs = patienceNow({ ...patienceOf(contract, a.engine.settings), machine });
  if (facts === undefined || !mayPark({ ...facts, parkAfterMs }, a.now)) return false;
  if (!(await askPark(a.tx, { taskId, attempt, patienceMs }))) return false;
  const daemonId = task.homeDaemonId;
  await appendCommand(a.tx, {
    ownerId: a.ownerId,
    daemonId,
    taskId,
    attempt,
    command: { kind: 'task.stop', taskId, attempt, reason: 'parked', graceMs },
  });
  a.hint(channels.daemonWake(daemonId));
  return true;
}

/** One that completes waits for its end, or for a person's no. */
function waits({ status }: ContractRow): boolean {
  return mayWork(status) || status === 'completing';
}

/** The contract's own time, else the installation's; null: never. */
function patienceOf(
  contract: ContractRow,
  settings: Settings,
): Omit<Parameters<typeof patienceNow>[0], 'machine'> {
  const own = contract.parkAfterSeconds;
  if (own === null) return { parkAfterMs: settings.parkAfterMs, chosen: 'installation' };
  return { parkAfterMs: own === 0 ? null : own * 1_000, chosen: 'contract' };
}
