/**
 * Create a contract (M1.2, M1.3): the row with its type as it is now, its repositories, and its
 * supervisor's task unless told to wait.
 */
import type { ContractDetail, ContractInput } from '@makima/contracts/entity/contract';
import { firstPhase, guardedPhases, type ContractType } from '@makima/domain/contract-type';
import { slugify, uniqueSlug } from '@makima/domain/contract';
import { MakimaError } from '@makima/domain/error';
import {
  distrusted,
  findContract,
  insertContract,
  insertRepository,
  slugsLike,
} from '@makima/db/repo/contracts';
import { lockOwnerForNames } from '@makima/db/repo/locks';
import type { ContractRow, RepositoryRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { requirePerson } from '../authorize.ts';
import { typeForContract } from '../contract-type/get.ts';
import { checkRepositoryPlace } from './repository-place.ts';
import { contractDetail } from './get.ts';
import { startSupervisor } from './start.ts';
import { tellTrust, trustOf } from './trust.ts';

export function createContract(
  engine: Engine,
  call: Call,
  input: ContractInput,
): Promise<Acted<ContractDetail>> {
  return act(engine, call, async (a) => {
    requirePerson(a.caller, 'create contracts');
    return contractDetail(engine, a.tx, await makeContract(a, input, { directiveId: null }));
  });
}

/** The contract as it stands afterwards; the caller has asked who may. */
export async function makeContract(
  a: Act,
  input: ContractInput,
  origin: { readonly directiveId: string | null },
): Promise<ContractRow> {
  const type = await typeForContract(a.tx, { ownerId: a.ownerId, name: input.contractType });
  checkExtras(type, input);
  checkStart(input);
  await lockOwnerForNames(a.tx, { ownerId: a.ownerId });
  const slugs = new Set(await slugsLike(a.tx, { ownerId: a.ownerId, slug: slugify(input.name) }));
  const contract = await insertContract(a.tx, {
    ownerId: a.ownerId,
    slug: uniqueSlug(slugify(input.name), slugs),
    name: input.name,
    description: input.description,
    contractType: type,
    extraDeliverables: input.extraDeliverables,
    phase: firstPhase(type),
    guardedPhases: [...chosenGuards(type, input.phaseGuard)],
    localOnly: input.localOnly,
    autoMergeLocal: input.autoMergeLocal,
    allowPullRequests: input.allowPullRequests,
    permissionMode: input.permissionMode,
    autoCompleteEnabled: input.autoCompleteEnabled,
    priority: input.priority,
    parkAfterSeconds: input.parkAfterSeconds,
    onLimit: input.onLimit,
    budgetTokens: input.budget?.tokens ?? null,
    budgetCostMicros: input.budget?.costMicros ?? null,
    agent: input.agent,
    model: input.model,
    supervisorPlan: input.supervisorPlan,
    directiveId: origin.directiveId,
  });
  const trusted = await addRepositories(a, contract, input);
  a.emit('contract.created', {
    contractId: contract.id,
    data: {
      name: contract.name,
      slug: contract.slug,
      type: type.name,
      phase: contract.phase,
      guardedPhases: contract.guardedPhases,
    },
  });
  for (const repository of trusted) tellTrust(a, repository);
  if (input.start) await startSupervisor(a, contract);
  const row = await findContract(a.tx, { ownerId: a.ownerId, id: contract.id });
  return row ?? contract;
}

/** Asked before there is a contract: what is rolled back cannot be told to take a repository. */
function checkStart({ start, repositories }: ContractInput): void {
  if (!start || repositories.length > 0) return;
  throw new MakimaError('MISSING_REPO_URL', 'a contract needs a repository before it starts', {
    fix: 'name one in `repositories` of this request, or send it with start=false; nothing was made',
  });
}

/** The phases that only a person's confirmation lets the contract leave. */
export function chosenGuards(
  type: ContractType,
  guard: boolean | readonly string[],
): readonly string[] {
  if (typeof guard === 'boolean') return guardedPhases(type, { phaseGuard: guard });
  const known = type.phases.map((phase) => phase.name);
  const wrong = guard.filter((name) => !known.includes(name));
  if (wrong.length > 0) {
    throw new MakimaError(
      'VALIDATION_FAILED',
      `unknown phases in phaseGuard: ${wrong.join(', ')}`,
      {
        details: {
          errors: [{ pointer: '/phaseGuard', detail: `phases of this type: ${known.join(', ')}` }],
        },
      },
    );
  }
  return guard;
}

/** Answers those that are trusted. */
async function addRepositories(
  a: Act,
  contract: ContractRow,
  input: ContractInput,
): Promise<RepositoryRow[]> {
  const trusted: RepositoryRow[] = [];
  const wantsPrimary = input.repositories.findIndex((r) => r.isPrimary === true);
  const primary = wantsPrimary === -1 ? 0 : wantsPrimary;
  for (const [i, repository] of input.repositories.entries()) {
    checkRepositoryPlace(repository);
    const row = await insertRepository(a.tx, {
      ...(repository.trusted === true ? trustOf(a) : distrusted),
      ownerId: a.ownerId,
      contractId: contract.id,
      name: repository.name ?? nameOf(repository.repositoryUrl ?? repository.localPath ?? ''),
      repositoryUrl: repository.repositoryUrl ?? null,
      localPath: repository.localPath ?? null,
      baseBranch: repository.baseBranch ?? null,
      isPrimary: i === primary,
    });
    if (row.trustedAt !== null) trusted.push(row);
  }
  return trusted;
}

/** The last part of a URL or path, as people call a repository. */
export function nameOf(place: string): string {
  const last =
    place
      .replace(/[/\\]+$/, '')
      .split(/[/\\:]/)
      .at(-1) ?? '';
  return last.replace(/\.git$/, '') || 'repository';
}

function checkExtras(type: ContractType, input: ContractInput): void {
  const known = type.phases.map((phase) => phase.name);
  const wrong = input.extraDeliverables.find((extra) => !known.includes(extra.phase));
  if (wrong === undefined) return;
  throw new MakimaError(
    'VALIDATION_FAILED',
    `deliverable ${wrong.id} is for the unknown phase ${wrong.phase}`,
    {
      details: {
        errors: [
          { pointer: '/extraDeliverables', detail: `phases of this type: ${known.join(', ')}` },
        ],
      },
    },
  );
}
