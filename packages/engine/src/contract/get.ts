/** One contract as a person sees it; also what every verb that changes a contract answers. */
import type { ContractDetail } from '@makima/contracts/entity/contract';
import type { Standstill } from '@makima/domain/standstill';
import { operationsOf } from '@makima/db/repo/operations';
import { keptRefsOf, repositoriesOf } from '@makima/db/repo/contracts';
import { contractNumbers } from '@makima/db/repo/contract-numbers';
import { deliverablesOfContract } from '@makima/db/repo/deliverables';
import { databaseTime } from '@makima/db/repo/clock';
import { reading } from '@makima/db/tx';
import type { Queryable } from '@makima/db/client';
import type { ContractRow } from '@makima/db/rows';
import type { Engine } from '../context.ts';
import type { Principal } from '../principal.ts';
import { readableContract } from '../authorize.ts';
import { presentContractDetail } from '../present/contract.ts';
import { mayStand, standstillsOf } from '../question/standstills.ts';

export async function getContract(
  engine: Engine,
  caller: Principal,
  input: { id: string },
): Promise<ContractDetail> {
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      const row = await readableContract(sql, caller, input.id);
      const scope = { ownerId: row.ownerId, contractId: row.id };
      const standing = mayStand(row) ? await standstillsOf(engine, sql, scope) : [];
      return contractDetail(engine, sql, row, standing);
    })(),
  );
}

/**
 * Everything about a contract's row, read in the same transaction when given one. What stands still is looked
 * at by who reads, never by a verb: it is judged by rows that the verb's own transaction does not hold.
 */
export async function contractDetail(
  engine: Engine,
  db: Queryable,
  row: ContractRow,
  standing: readonly Standstill[] = [],
): Promise<ContractDetail> {
  const about = { ownerId: row.ownerId, contractId: row.id };
  const [numbers, repositories, deliverables, keptRefs, deliveries, now] = await Promise.all([
    contractNumbers(db, { ownerId: row.ownerId, ids: [row.id] }),
    repositoriesOf(db, about),
    deliverablesOfContract(db, about),
    keptRefsOf(db, about),
    operationsOf(db, { contractId: row.id, kind: 'branch.deliver' }),
    databaseTime(db),
  ]);
  const found = numbers.get(row.id);
  if (found === undefined) throw new Error(`contract ${row.id} has no activity row`);
  return presentContractDetail(
    row,
    { numbers: found, repositories, deliverables, keptRefs, deliveries },
    {
      now,
      staleThresholdMs: engine.settings.staleThresholdMs,
      standing: new Set(standing.map(({ contractId }) => contractId)),
    },
  );
}
