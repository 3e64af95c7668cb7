/**
 * What of an owner's work stands still until a person acts, from the facts that `why` judges by: the placement
 * rule over the tasks whose turn is next, the clean-up that machines owe, what is ready to be moved by hand, and
 * supervisors that nothing wakes.
 */
import { mayWork, type ContractStatus } from '@makima/domain/contract';
import { nextPhase } from '@makima/domain/contract-type';
import {
  standstills,
  type ReadyContract,
  type Standstill,
  type UnplacedTask,
} from '@makima/domain/standstill';
import { databaseTime } from '@makima/db/repo/clock';
import { contractsAtTheirEnd } from '@makima/db/repo/contracts';
import { incidentsAtWork } from '@makima/db/repo/incidents';
import { owedCleanups } from '@makima/db/repo/operations';
import { idleLeads } from '@makima/db/repo/supervisors';
import type { Queryable } from '@makima/db/client';
import { readyKind } from '../contract/ready.ts';
import type { Engine } from '../context.ts';
import { placementBatch } from '../task/assign.ts';
import { lookForPlaces } from '../task/placement-facts.ts';

/** Whether something of a contract in this status may stand still. */
export function mayStand({ status }: { readonly status: ContractStatus }): boolean {
  return mayWork(status) || status === 'completing';
}

/** Whose work is looked at: everything of an owner, or one contract. */
export interface StandstillScope {
  readonly ownerId: string;
  readonly contractId?: string;
}

/**
 * As many statements for many tasks as for one. Of one contract only its own rows are read: what needs a person
 * hangs on machines alone, never on what others take of their room.
 */
export async function standstillsOf(
  engine: Engine,
  db: Queryable,
  scope: StandstillScope,
): Promise<readonly Standstill[]> {
  const now = await databaseTime(db);
  const [tasks, ends, ready, leads] = await Promise.all([
    unplacedTasks(db, scope, now),
    owedEnds(engine, db, scope, now),
    readyOnes(db, scope),
    idleLeads(db, { ...scope, limit: placementBatch }),
  ]);
  const idle = leads.map(({ activity, ...lead }) => ({ ...lead, words: activity ?? '' }));
  return standstills({ tasks, ends, ready, idle });
}

async function unplacedTasks(
  db: Queryable,
  scope: StandstillScope,
  now: Date,
): Promise<UnplacedTask[]> {
  const look = await lookForPlaces(db, { ...scope, now, limit: placementBatch, lock: 'none' });
  const rows = new Map(look.rows.map((row) => [row.id, row]));
  return look.placement.unplaced.flatMap(({ taskId, reason }) => {
    const row = rows.get(taskId);
    if (row === undefined) return [];
    const { id, name, contractId, isSupervisor, pendingSince: since } = row;
    return [{ id, name, contractId, isSupervisor, reason, since }];
  });
}

async function owedEnds(engine: Engine, db: Queryable, scope: StandstillScope, now: Date) {
  const detectedBefore = new Date(now.getTime() - engine.settings.completionGraceMs);
  const contractIds = await contractsAtTheirEnd(db, {
    ...scope,
    detectedBefore,
    limit: placementBatch,
  });
  return contractIds.length === 0 ? [] : owedCleanups(db, { contractIds });
}

async function readyOnes(db: Queryable, scope: StandstillScope): Promise<ReadyContract[]> {
  const rows = await incidentsAtWork(db, { ...scope, kind: readyKind, limit: placementBatch });
  return rows.flatMap(({ contract, openedAt, detail }) => {
    const next = nextPhase(contract.contractType, contract.phase);
    // It has gone on, and nobody has looked at it since.
    if (next === undefined || detail['phase'] !== contract.phase) return [];
    const { id: contractId, slug, phase } = contract;
    return [{ contractId, slug, phase, nextPhase: next, since: openedAt }];
  });
}
