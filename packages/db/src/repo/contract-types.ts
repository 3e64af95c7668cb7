/** Contract types of owners: versions are added, never changed. */
import type { ContractType } from '@makima/domain/contract-type';
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

/** Of an owner, a type whose newest version is not what a file says. */
export interface TypeDiffers {
  readonly ownerId: string;
  readonly file: string;
  /** Null: the owner has none of that name. */
  readonly version: number | null;
  readonly createdBy: string | null;
}

/** What files say, beside the newest version of every owner: only what differs comes back. */
export async function listTypesThatDiffer(
  db: Queryable,
  args: { files: readonly { file: string; definition: ContractType }[] },
): Promise<TypeDiffers[]> {
  return db<TypeDiffers[]>`
    select o.id as owner_id, f.file, t.version, t.created_by
      from jsonb_to_recordset(${db.json(args.files as never)}) as f(file text, definition jsonb)
     cross join owners o
      left join lateral (
        select version, created_by, definition from contract_types
         where owner_id = o.id and name = f.definition->>'name' order by version desc limit 1
      ) t on true
     where t.definition->'phases' is distinct from f.definition->'phases'
     order by f.file, o.id`;
}
