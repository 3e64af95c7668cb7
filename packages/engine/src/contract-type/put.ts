/**
 * Define a contract type, or its next version (M1.2). What is kept is what the domain accepted, so that a
 * contract can be made of every row.
 *
 * Law: a version is never changed: contracts that run keep theirs, and new ones take the newest.
 */
import type { ContractTypeInput, ContractTypeView } from '@makima/contracts/entity/contract-type';
import { checkContractType, findType, typeLimits, typeOf } from '@makima/domain/contract-type';
import { MakimaError } from '@makima/domain/error';
import {
  findContractType,
  insertContractType,
  listContractTypeRows,
  listTypesThatDiffer,
  type TypeDiffers,
} from '@makima/db/repo/contract-types';
import { lockOwnerForNames } from '@makima/db/repo/locks';
import type { ContractTypeRow } from '@makima/db/rows';
import { reading } from '@makima/db/tx';
import { requirePerson } from '../authorize.ts';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import type { System } from '../principal.ts';
import { presentContractType } from './present.ts';

/** @throws VALIDATION_FAILED with what is wrong, CONFLICT for a name that is taken. */
export function putContractType(
  engine: Engine,
  call: Call,
  input: ContractTypeInput,
): Promise<Acted<ContractTypeView>> {
  return act(engine, call, async (a) => {
    const person = requirePerson(a.caller, 'define contract types');
    const newest = await newestOf(a, input.name);
    return (await put(a, { input, newest, createdBy: person.name, sourceFile: null })).type;
  });
}

export interface TypeOfFile {
  readonly file: string;
  readonly type: ContractTypeInput;
}

/**
 * The same of a file in the installation's folder of types. A person's own type of that name stays.
 * @throws CONFLICT saying whose it is.
 */
export function putTypeOfFile(
  engine: Engine,
  call: Call & { readonly caller: System },
  { file, type: input }: TypeOfFile,
): Promise<Acted<PutType>> {
  return act(engine, call, async (a) => {
    const newest = await newestOf(a, input.name);
    if (newest !== undefined && newest.sourceFile === null)
      throw new MakimaError(
        'CONFLICT',
        `name: ${newest.createdBy} has defined a type ${input.name}, which stays`,
        { fix: 'give the type of the file another name' },
      );
    return put(a, { input, newest, createdBy: `file: ${file}`, sourceFile: file });
  });
}

/** Owners whose newest version is not what a file says, for each of these files. */
export function typesThatDiffer(
  { database }: Engine,
  files: readonly TypeOfFile[],
): Promise<TypeDiffers[]> {
  const said = files.map(({ file, type }) => ({
    file,
    definition: typeOf(type.name, 1, type.phases),
  }));
  return reading(database, listTypesThatDiffer(database.sql, { files: said }));
}

async function newestOf(a: Act, name: string): Promise<ContractTypeRow | undefined> {
  if (findType(name) !== undefined)
    throw new MakimaError('CONFLICT', `the type ${name} comes with makima`, {
      fix: 'choose another name',
    });
  await lockOwnerForNames(a.tx, { ownerId: a.ownerId });
  return findContractType(a.tx, { ownerId: a.ownerId, name });
}

interface Putting extends Pick<ContractTypeRow, 'createdBy' | 'sourceFile'> {
  readonly input: ContractTypeInput;
  readonly newest: ContractTypeRow | undefined;
}

export type { TypeDiffers };

export interface PutType {
  readonly type: ContractTypeView;
  /** False: the newest version says the same. */
  readonly isNew: boolean;
}

async function put(a: Act, { input, newest, ...origin }: Putting): Promise<PutType> {
  const { name } = input;
  const version = (newest?.version ?? 0) + 1;
  const definition = typeOf(name, version, input.phases);
  const verdict = checkContractType(definition);
  if (!verdict.ok) throw wrong(verdict.reason);
  if (newest !== undefined && textOf(newest.definition) === textOf(definition))
    return { type: presentContractType(newest.definition, newest), isNew: false };
  await refuseTooMany(a, version);
  const { ownerId } = a;
  const row = await insertContractType(a.tx, { ownerId, name, version, definition, ...origin });
  return { type: presentContractType(definition, row), isNew: true };
}

async function refuseTooMany(a: Act, version: number): Promise<void> {
  const most = a.engine.limits.contractTypesPerOwnerMax;
  const types = version === 1 ? await listContractTypeRows(a.tx, { ownerId: a.ownerId }) : [];
  if (types.length < most && version <= typeLimits.versions) return;
  throw new MakimaError(
    'LIMIT_EXCEEDED',
    version === 1
      ? `there are ${most} contract types already`
      : `there are ${typeLimits.versions} versions of it already`,
    { details: { limit: version === 1 ? 'contractTypesPerOwnerMax' : 'versions' } },
  );
}

function wrong(reason: string): MakimaError {
  return new MakimaError('VALIDATION_FAILED', reason, {
    details: { errors: [{ pointer: '/phases', detail: reason }] },
  });
}

/** Without the version; jsonb keeps no order of keys. */
function textOf({ phases }: { phases: ReturnType<typeof typeOf>['phases'] }): string {
  return JSON.stringify(
    phases.map(({ name, deliverables, gate }) => [
      name,
      deliverables.map(({ id, name: called, required }) => [id, called, required]),
      gate.tasks,
      gate.validator ?? null,
      gate.validatorTimeoutSeconds ?? null,
      gate.autoAdvance ?? true,
    ]),
  );
}
