/** Contract types, for people who choose one and for the verb that makes a contract of one. */
import type { ContractTypeView } from '@makima/contracts/entity/contract-type';
import { builtinTypes, findType, type ContractType } from '@makima/domain/contract-type';
import { MakimaError } from '@makima/domain/error';
import { findContractType, listContractTypeRows } from '@makima/db/repo/contract-types';
import { reading } from '@makima/db/tx';
import type { Queryable } from '@makima/db/client';
import { notFound, requireReader } from '../authorize.ts';
import type { Engine } from '../context.ts';
import type { Principal } from '../principal.ts';
import { presentContractType } from './present.ts';

/** Those that come with makima, then the owner's by name. */
export async function listContractTypes(
  engine: Engine,
  caller: Principal,
): Promise<{ items: ContractTypeView[] }> {
  requireReader(caller, 'list contract types');
  const { ownerId } = caller;
  const rows = await reading(
    engine.database,
    listContractTypeRows(engine.database.sql, { ownerId }),
  );
  return {
    items: [
      ...Object.values(builtinTypes).map((type) => presentContractType(type, undefined)),
      ...rows.map((row) => presentContractType(row.definition, row)),
    ],
  };
}

/** @throws NOT_FOUND for a name or version that is not there. */
export async function getContractType(
  engine: Engine,
  caller: Principal,
  input: { name: string; version?: number | undefined },
): Promise<ContractTypeView> {
  requireReader(caller, 'look at contract types');
  const builtin = findType(input.name);
  if (builtin !== undefined && (input.version ?? builtin.version) === builtin.version)
    return presentContractType(builtin, undefined);
  const about = { ownerId: caller.ownerId, name: input.name, version: input.version };
  const row = await reading(engine.database, findContractType(engine.database.sql, about));
  if (row === undefined) throw notFound('contract type', input.name, 'makima types list');
  return presentContractType(row.definition, row);
}

/** The type that a new contract is made of. @throws VALIDATION_FAILED naming those that there are. */
export async function typeForContract(
  db: Queryable,
  about: { ownerId: string; name: string },
): Promise<ContractType> {
  const type = findType(about.name) ?? (await findContractType(db, about))?.definition;
  if (type !== undefined) return type;
  const own = (await listContractTypeRows(db, about)).map(({ name }) => name);
  const names = [...Object.keys(builtinTypes), ...own].join(', ');
  throw new MakimaError('VALIDATION_FAILED', `there is no contract type ${about.name}`, {
    details: { errors: [{ pointer: '/contractType', detail: `one of: ${names}` }] },
    fix: 'makima types list',
  });
}
