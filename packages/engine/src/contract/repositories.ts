/** Repositories of a contract: where its tasks take code from. One is primary, as long as there is any. */
import type { z } from 'zod';
import type { Repository, zRepositoryInput } from '@makima/contracts/entity/contract';
import { isTerminal } from '@makima/domain/contract';
import { MakimaError } from '@makima/domain/error';
import {
  clearPrimary,
  deleteRepository,
  distrusted,
  insertRepository,
  makePrimary,
  repositoriesOf,
  tasksUsing,
} from '@makima/db/repo/contracts';
import { reading } from '@makima/db/tx';
import type { ContractRow } from '@makima/db/rows';
import { lockedContract, notFound, readableContract, requirePerson } from '../authorize.ts';
import { act, type Acted, type Call, type Engine } from '../context.ts';
import { presentRepository } from '../present/contract.ts';
import type { Principal } from '../principal.ts';
import { nameOf } from './create.ts';
import { checkRepositoryPlace } from './repository-place.ts';
import { tellTrust, trustOf } from './trust.ts';

const repositoriesMax = 20;

export async function listRepositories(
  engine: Engine,
  caller: Principal,
  input: { id: string },
): Promise<{ items: Repository[] }> {
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      const contract = await readableContract(sql, caller, input.id);
      const rows = await repositoriesOf(sql, {
        ownerId: caller.ownerId,
        contractId: contract.id,
      });
      return { items: rows.map(presentRepository) };
    })(),
  );
}

/** The first repository is primary; a later one when it says so. */
export function addRepository(
  engine: Engine,
  call: Call,
  input: z.output<typeof zRepositoryInput> & { readonly id: string },
): Promise<Acted<Repository>> {
  return act(engine, call, async (a) => {
    requirePerson(a.caller, 'add repositories');
    checkRepositoryPlace(input);
    const contract = await lockedContract(a.tx, a.caller, input.id, 'update');
    refuseEnded(contract);
    const about = { ownerId: a.ownerId, contractId: contract.id };
    const known = await repositoriesOf(a.tx, about);
    const url = input.repositoryUrl ?? null;
    const path = input.localPath ?? null;
    if (known.some((row) => row.repositoryUrl === url && row.localPath === path)) {
      throw new MakimaError('CONFLICT', 'the contract has this repository already');
    }
    if (known.length >= repositoriesMax) {
      throw new MakimaError(
        'LIMIT_EXCEEDED',
        `a contract has at most ${repositoriesMax} repositories`,
      );
    }
    const trust = input.trusted === true ? trustOf(a) : distrusted;
    const isPrimary = known.length === 0 || input.isPrimary === true;
    if (isPrimary) await clearPrimary(a.tx, about);
    const row = await insertRepository(a.tx, {
      ...about,
      name: input.name ?? nameOf(url ?? path ?? ''),
      repositoryUrl: url,
      localPath: path,
      baseBranch: input.baseBranch ?? null,
      isPrimary,
      ...trust,
    });
    a.emit('repository.added', {
      contractId: contract.id,
      data: { repositoryId: row.id, name: row.name, isPrimary },
    });
    if (row.trustedAt !== null) tellTrust(a, row);
    return presentRepository(row);
  });
}

/** @throws CONFLICT when a task works or worked with it: its branches live there. */
export function removeRepository(
  engine: Engine,
  call: Call,
  input: { id: string; repositoryId: string },
): Promise<Acted<{ id: string; deleted: true }>> {
  return act(engine, call, async (a) => {
    requirePerson(a.caller, 'remove repositories');
    const contract = await lockedContract(a.tx, a.caller, input.id, 'update');
    const about = { ownerId: a.ownerId, contractId: contract.id };
    const known = await repositoriesOf(a.tx, about);
    const row = known.find((candidate) => candidate.id === input.repositoryId);
    if (row === undefined) throw notFound('repository', input.repositoryId);
    const users = await tasksUsing(a.tx, { ...about, repository: row });
    if (users > 0) {
      throw new MakimaError('CONFLICT', `${users} tasks of the contract use this repository`, {
        details: { tasks: users },
      });
    }
    await deleteRepository(a.tx, { ...about, id: row.id });
    const heir = known.find((candidate) => candidate.id !== row.id);
    if (row.isPrimary && heir !== undefined) await makePrimary(a.tx, { ...about, id: heir.id });
    a.emit('repository.removed', {
      contractId: contract.id,
      data: { repositoryId: row.id, name: row.name },
    });
    return { id: row.id, deleted: true };
  });
}

function refuseEnded(contract: ContractRow): void {
  if (!isTerminal(contract.status)) return;
  throw new MakimaError(
    'INVALID_TRANSITION',
    `a contract that is ${contract.status} takes no more repositories`,
    { details: { status: contract.status } },
  );
}
