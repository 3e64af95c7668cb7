/** Contracts as the wire shows them, with the numbers that lists and people need. */
import type {
  Contract,
  ContractDetail,
  Deliverable,
  Repository,
} from '@makima/contracts/entity/contract';
import { attentionOf } from '@makima/domain/attention';
import { deliverablesOf } from '@makima/domain/contract-type';
import { isStale } from '@makima/domain/stale';
import { presentBudget, presentSpent } from './usage.ts';
import type { ContractNumbers } from '@makima/db/repo/contract-numbers';
import { zOperationResult } from '@makima/contracts/socket/reports';
import type {
  ContractRow,
  DeliverableRow,
  KeptRefRow,
  OperationRow,
  RepositoryRow,
} from '@makima/db/rows';

/** When it is looked at, and from when on silence is stale. */
export interface Seen {
  readonly now: Date;
  readonly staleThresholdMs: number;
  /** Contracts of which something stands still until a person acts. */
  readonly standing: ReadonlySet<string | null>;
}

export function presentContract(row: ContractRow, numbers: ContractNumbers, seen: Seen): Contract {
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    description: row.description,
    contractType: row.contractType.name,
    status: row.status,
    phase: row.phase,
    phases: row.contractType.phases.map((phase) => phase.name),
    guardedPhases: row.guardedPhases,
    version: row.version,
    attention: contractAttention(row, numbers, seen),
    waitingFor: row.waitingFor,
    blockedReason: row.blockedReason,
    failureReason: row.failureReason,
    localOnly: row.localOnly,
    autoMergeLocal: row.autoMergeLocal,
    allowPullRequests: row.allowPullRequests,
    permissionMode: row.permissionMode,
    autoCompleteEnabled: row.autoCompleteEnabled,
    priority: row.priority,
    parkAfterSeconds: row.parkAfterSeconds,
    onLimit: row.onLimit,
    limitedUntil: numbers.limitedUntil?.toISOString() ?? null,
    supervisorTaskId: row.supervisorTaskId,
    taskCounts: numbers.taskCounts,
    openQuestions: numbers.openQuestions,
    usage: presentSpent(numbers),
    budget: presentBudget(row),
    statusChangedAt: row.statusChangedAt.toISOString(),
    completionDetectedAt: row.completionDetectedAt?.toISOString() ?? null,
    lastActivityAt: numbers.lastActivityAt.toISOString(),
    createdAt: row.createdAt.toISOString(),
  };
}

export interface ContractParts {
  readonly numbers: ContractNumbers;
  readonly repositories: readonly RepositoryRow[];
  readonly deliverables: readonly DeliverableRow[];
  readonly keptRefs: readonly KeptRefRow[];
  /** Every time that its branch was to be delivered, oldest first. */
  readonly deliveries: readonly OperationRow[];
}

export function presentContractDetail(
  row: ContractRow,
  parts: ContractParts,
  seen: Seen,
): ContractDetail {
  return {
    ...presentContract(row, parts.numbers, seen),
    repositories: parts.repositories.map(presentRepository),
    deliverables: row.contractType.phases.flatMap((phase) =>
      deliverablesOf(row.contractType, phase.name, row.extraDeliverables).map((wanted) =>
        presentDeliverable(phase.name, wanted, parts.deliverables),
      ),
    ),
    keptRefs: parts.keptRefs.map((kept) => ({ taskId: kept.taskId, ref: kept.ref, why: kept.why })),
    delivery: presentDelivery(parts.deliveries),
  };
}

/** The last one that came to an end: one that failed changed nothing. */
function presentDelivery(deliveries: readonly OperationRow[]): ContractDetail['delivery'] {
  const last = deliveries.findLast((row) => row.state === 'done');
  const { data } = zOperationResult.safeParse(last?.result);
  if (data?.kind !== 'branch.deliver') return null;
  const { branch, commitSha, baseMoved, note } = data;
  return { branch, commitSha, baseMoved, note };
}

export function presentRepository(row: RepositoryRow): Repository {
  return {
    id: row.id,
    name: row.name,
    repositoryUrl: row.repositoryUrl,
    localPath: row.localPath,
    baseBranch: row.baseBranch,
    isPrimary: row.isPrimary,
    trusted: row.trustedAt !== null,
    trustedBy: row.trustedBy,
    trustedAt: row.trustedAt?.toISOString() ?? null,
  };
}

export function presentDeliverable(
  phase: string,
  wanted: { readonly id: string; readonly name: string; readonly required: boolean },
  rows: readonly DeliverableRow[],
): Deliverable {
  const row = rows.find((r) => r.phase === phase && r.deliverableId === wanted.id);
  return {
    id: wanted.id,
    name: wanted.name,
    phase,
    required: wanted.required,
    completed: row !== undefined,
    completedAt: row?.completedAt.toISOString() ?? null,
    stale: row !== undefined && row.staleSince !== null,
    staleSince: row?.staleSince?.toISOString() ?? null,
    staleReason: row?.staleReason ?? null,
    evidence: (row?.evidence ?? []).map((item) => ({ ...item })),
  };
}

function contractAttention(
  row: ContractRow,
  numbers: ContractNumbers,
  { now, staleThresholdMs, standing }: Seen,
): Contract['attention'] {
  return attentionOf({
    kind: 'contract',
    status: row.status,
    openQuestions: numbers.openQuestions,
    openConfirmations: numbers.openConfirmations,
    standsStill: standing.has(row.id),
    isStale: isStale(
      {
        status: row.status,
        supervisorSession: numbers.supervisorSession,
        lastProgressAt: numbers.lastProgressAt,
        thresholdMs: staleThresholdMs,
      },
      now,
    ),
    isLimited: numbers.supervisorSession === 'limited' || numbers.allLimited,
    isWorking: numbers.working > 0 || numbers.supervisorSession === 'parked',
  });
}
