/** Contract types of owners: versions are added, never changed. */
import type { Queryable, Tx } from '../client.ts';
import type { ContractTypeRow } from '../rows.ts';

export async function insertContractType(
  tx: Tx,
  row: Omit<ContractTypeRow, 'createdAt'>,
): Promise<ContractTypeRow> {
  const [made] = await tx<ContractTypeRow[]>`
    insert into contract_types ${tx({ ...row, definition: tx.json(row.definition as never) } as never)} returning *`;
  return made as ContractTypeRow;
}

/** The newest version, or the one that is named. */
export async function findContractType(
  db: Queryable,
  args: { ownerId: string; name: string; version?: number | undefined },
): Promise<ContractTypeRow | undefined> {
  const [row] = await db<ContractTypeRow[]>`
    select * from contract_types where owner_id = ${args.ownerId} and name = ${args.name}
       and (${args.version ?? null}::int is null or version = ${args.version ?? null})
     order by version desc limit 1`;
  return row;
}

/** The newest version of each. */
export async function listContractTypeRows(
  db: Queryable,
  args: { ownerId: string },
): Promise<ContractTypeRow[]> {
  return db<ContractTypeRow[]>`
    select distinct on (name) * from contract_types where owner_id = ${args.ownerId} order by name, version desc`;
}
