/**
 * Supervisors that wait give up their process: their daemon is asked to end it, and the report of its end
 * makes them `parked`. Sweep of the scheduler.
 *
 * Law: only a wish. The rows change with the report; a daemon whose agent works after all, or whose kind of
 * agent cannot be resumed, does nothing, and is asked again later.
 */
import { channels } from '@makima/contracts/channels';
import { mayPark } from '@makima/domain/parking';
import { mayWork } from '@makima/domain/contract';
import { findContract } from '@makima/db/repo/contracts';
import { appendCommand } from '@makima/db/repo/daemons';
import { askPark, longWaiting, pendingOf, type WaitingSupervisor } from '@makima/db/repo/parking';
import { lockSupervisor } from '@makima/db/repo/supervisors';
import { lockTask } from '@makima/db/repo/tasks';
import type { ContractRow } from '@makima/db/rows';
import { act, type Act, type Engine, type Settings } from '../context.ts';
import { eachRow } from '../each-row.ts';

/** So long a daemon that did not park is left alone. */
const patienceMs = 60_000;
const graceMs = 5_000;

/** Answers how many daemons were asked. */
export async function parkWaiting(engine: Engine, input: { limit: number }): Promise<number> {
  const { parkAfterMs } = engine.settings;
  const rows = await longWaiting(engine.database.sql, { parkAfterMs, patienceMs, ...input });
  let asked = 0;
  await eachRow(rows, async (row) => {
    const caller = { kind: 'system', ownerId: row.ownerId, name: 'park-waiting' } as const;
    const { result } = await act(engine, { caller }, (a) => park(a, row));
    if (result) asked += 1;
  });
  return asked;
}

async function park(a: Act, { taskId, attempt }: WaitingSupervisor): Promise<boolean> {
  const task = await lockTask(a.tx, { ownerId: a.ownerId, id: taskId });
  const live = task?.status === 'running' && task.session === 'live';
  if (!live || task.contractId === null || task.homeDaemonId === null) return false;
  if (task.currentAttempt !== attempt) return false;
  const contract = await findContract(a.tx, { ownerId: a.ownerId, id: task.contractId });
  if (contract === undefined || !mayWork(contract.status)) return false;
  // Held: a wait that ends meanwhile is seen here, or comes after this and counts as come.
  await lockSupervisor(a.tx, { ownerId: a.ownerId, taskId });
  const facts = await pendingOf(a.tx, { taskId });
  const parkAfterMs = patienceOf(contract, a.engine.settings);
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

/** The contract's own time, else the installation's; null: never. */
function patienceOf(contract: ContractRow, settings: Settings): number | null {
  if (contract.parkAfterSeconds === null) return settings.parkAfterMs;
  return contract.parkAfterSeconds === 0 ? null : contract.parkAfterSeconds * 1_000;
}
