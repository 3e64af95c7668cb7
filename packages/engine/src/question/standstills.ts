/**
 * What of an owner's work stands still until a person acts on a machine, from the facts that `why` judges by:
 * the placement rule over the tasks whose turn is next, and the clean-up that machines owe.
 */
import { mayWork, type ContractStatus } from '@makima/domain/contract';
import { standstills, type Standstill, type UnplacedTask } from '@makima/domain/standstill';
import { databaseTime } from '@makima/db/repo/clock';
import { contractsAtTheirEnd } from '@makima/db/repo/contracts';
import { owedCleanups } from '@makima/db/repo/operations';
import type { Queryable } from '@makima/db/client';
import type { Engine } from '../context.ts';
import { placementBatch } from '../task/assign.ts';
import { lookForPlaces } from '../task/placement-facts.ts';

/** Whether something of a contract in this status may stand still. */
export function mayStand({ status }: { readonly status: ContractStatus }): boolean {
  return mayWork(status) || status === 'completing';
}

/** As many statements for many tasks as for one. */
export async function standstillsOf(
  engine: Engine,
  db: Queryable,
  ownerId: string,
): Promise<readonly Standstill[]> {
  const now = await databaseTime(db);
  const [tasks, ends] = await Promise.all([
    unplacedTasks(db, ownerId, now),
    owedEnds(engine, db, ownerId, now),
  ]);
  return standstills(tasks, ends);
}

async function unplacedTasks(db: Queryable, ownerId: string, now: Date): Promise<UnplacedTask[]> {
  const look = await lookForPlaces(db, { ownerId, now, limit: placementBatch, lock: 'none' });
  const rows = new Map(look.rows.map((row) => [row.id, row]));
  return look.placement.unplaced.flatMap(({ taskId, reason }) => {
    const row = rows.get(taskId);
    if (row === undefined) return [];
    const { id, name, contractId, isSupervisor, pendingSince: since } = row;
    return [{ id, name, contractId, isSupervisor, reason, since }];
  });
}

async function owedEnds(engine: Engine, db: Queryable, ownerId: string, now: Date) {
  const detectedBefore = new Date(now.getTime() - engine.settings.completionGraceMs);
  const contractIds = await contractsAtTheirEnd(db, {
    ownerId,
    detectedBefore,
    limit: placementBatch,
  });
  return contractIds.length === 0 ? [] : owedCleanups(db, { contractIds });
}
