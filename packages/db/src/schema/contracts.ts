/**
 * Contracts with what belongs to them. The row itself is changed by verbs only; activity and the event
 * cursor stand apart, so that output and heartbeats never write the contract.
 */
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  primaryKey,
  snakeCase,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { ContractStatus, WaitingFor } from '@makima/domain/contract';
import type { ContractType, ExtraDeliverable } from '@makima/domain/contract-type';
import type { Evidence } from '@makima/domain/evidence';
import type { PermissionMode } from '@makima/domain/permission-mode';
import type { LimitPolicy } from '@makima/domain/usage-limit';
import { bornAt, budget, id, moment, ownerId, xid8 } from './columns.ts';
import { directiveKey } from './directives.ts';
import { owners, users } from './identity.ts';

export const contracts = snakeCase.table(
  'contracts',
  {
    id: id(),
    ownerId: ownerId().references(() => owners.id),
    slug: text().notNull(),
    name: text().notNull(),
    description: text().notNull(),
    /** The type as it was when the contract began: a running contract keeps its own. */
    contractType: jsonb().$type<ContractType>().notNull(),
    extraDeliverables: jsonb().$type<ExtraDeliverable[]>().notNull().default([]),
    phase: text().notNull(),
    guardedPhases: text().array().notNull(),
    status: text().$type<ContractStatus>().notNull().default('created'),
    /** Expected version of the next change; rises with phase, deliverables and settings. */
    version: integer().notNull().default(1),
    waitingFor: text().$type<WaitingFor>(),
    blockedReason: text(),
    failureReason: text(),
    localOnly: boolean().notNull().default(false),
    autoMergeLocal: boolean().notNull().default(false),
    /** Its supervisor may push its branches and open pull requests. */
    allowPullRequests: boolean().notNull().default(false),
    permissionMode: text().$type<PermissionMode>().notNull().default('bypass'),
    autoCompleteEnabled: boolean().notNull().default(true),
    priority: integer().notNull().default(0),
    /** How long its supervisor may wait with a process; null: as the installation says, 0: for ever. */
    parkAfterSeconds: integer(),
    /** What follows when an agent of its meets a usage limit. */
    onLimit: text().$type<LimitPolicy>().notNull().default('resume'),
    ...budget(),
    agent: text().notNull(),
    model: text(),
    supervisorPlan: text(),
    supervisorTaskId: uuid(),
    /** The directive for which it was ordered. */
    directiveId: uuid(),
    statusChangedAt: bornAt(),
    completionDetectedAt: moment(),
    createdAt: bornAt(),
    updatedAt: bornAt(),
  },
  (t) => [
    unique('contracts_owner_id').on(t.ownerId, t.id),
    directiveKey(t),
    index('contracts_directive')
      .on(t.directiveId)
      .where(sql`${t.directiveId} is not null`),
    uniqueIndex('contracts_owner_slug').on(t.ownerId, t.slug),
    index('contracts_owner_status').on(t.ownerId, t.status, t.phase),
    index('contracts_waiting')
      .on(t.ownerId, t.statusChangedAt)
      .where(sql`${t.status} = 'waiting_for_input'`),
    check(
      'contracts_status',
      sql`${t.status} in ('created', 'active', 'waiting_for_input', 'paused', 'blocked', 'completing', 'completed', 'failed', 'archived')`,
    ),
    check('contracts_permission_mode', sql`${t.permissionMode} in ('bypass', 'ask')`),
    check(
      'contracts_waiting_for',
      sql`(${t.status} = 'waiting_for_input') = (${t.waitingFor} is not null)`,
    ),
    check(
      'contracts_blocked_reason',
      sql`${t.status} <> 'blocked' or ${t.blockedReason} is not null`,
    ),
    check(
      'contracts_failure_reason',
      sql`${t.status} <> 'failed' or ${t.failureReason} is not null`,
    ),
    check('contracts_on_limit', sql`${t.onLimit} in ('resume', 'ask')`),
    index('contracts_budget_warned')
      .on(t.ownerId)
      .where(sql`${t.budgetWarnedAt} is not null`),
    check('contracts_park_after', sql`${t.parkAfterSeconds} >= 0`),
  ],
);

const contractKey = (t: { ownerId: any; contractId: any }) =>
  foreignKey({
    columns: [t.ownerId, t.contractId],
    foreignColumns: [contracts.ownerId, contracts.id],
  }).onDelete('cascade');

/** Hot: written by output, heartbeats and verbs, in batches. */
export const contractActivity = snakeCase.table(
  'contract_activity',
  {
    contractId: uuid().primaryKey(),
    ownerId: ownerId(),
    lastActivityAt: bornAt(),
    lastProgressAt: bornAt(),
  },
  (t) => [contractKey(t)],
);

/** The number of the contract's last event; its row lock orders the contract's events. */
export const contractCursors = snakeCase.table(
  'contract_cursors',
  {
    contractId: uuid().primaryKey(),
    ownerId: ownerId(),
    seq: bigint({ mode: 'number' }).notNull().default(0),
    /** Highest place of its events in the order over all contracts. */
    lastXid: xid8()
      .notNull()
      .default(sql`'0'::xid8`),
  },
  (t) => [contractKey(t)],
);

export const repositories = snakeCase.table(
  'repositories',
  {
    id: id(),
    ownerId: ownerId(),
    contractId: uuid().notNull(),
    name: text().notNull(),
    repositoryUrl: text(),
    localPath: text(),
    baseBranch: text(),
    isPrimary: boolean().notNull().default(false),
    /** The owner who vouches for what its settings execute; null: nobody does. */
    trustedByUserId: uuid(),
    trustedBy: text(),
    trustedAt: moment(),
    createdAt: bornAt(),
  },
  (t) => [
    contractKey(t),
    foreignKey({
      columns: [t.ownerId, t.trustedByUserId],
      foreignColumns: [users.ownerId, users.id],
    }),
    check(
      'repositories_trust',
      sql`(${t.trustedByUserId} is null) = (${t.trustedAt} is null) and (${t.trustedByUserId} is null) = (${t.trustedBy} is null)`,
    ),
    check('repositories_place', sql`(${t.repositoryUrl} is null) <> (${t.localPath} is null)`),
    uniqueIndex('repositories_primary')
      .on(t.contractId)
      .where(sql`${t.isPrimary}`),
    index('repositories_contract').on(t.contractId),
  ],
);

export const deliverables = snakeCase.table(
  'deliverables',
  {
    contractId: uuid().notNull(),
    ownerId: ownerId(),
    phase: text().notNull(),
    deliverableId: text().notNull(),
    evidence: jsonb().$type<Evidence[]>().notNull().default([]),
    completedBy: text().notNull(),
    completedAt: bornAt(),
    /** Since when the branch has left its evidence behind, and what of it; null: it holds. */
    staleSince: moment(),
    staleReason: text(),
  },
  (t) => [
    primaryKey({ columns: [t.contractId, t.phase, t.deliverableId] }),
    contractKey(t),
    check('deliverables_stale', sql`(${t.staleSince} is null) = (${t.staleReason} is null)`),
  ],
);

/** How the contract's branch moved, in order: each merge, with the files that it touched. */
export const branchMoves = snakeCase.table(
  'branch_moves',
  {
    contractId: uuid().notNull(),
    ownerId: ownerId(),
    /** 1, 2, 3 … within the contract. */
    n: integer().notNull(),
    operationId: uuid().notNull(),
    fromSha: text().notNull(),
    toSha: text().notNull(),
    changed: text().array().notNull(),
    /** False: there are more than are listed. */
    complete: boolean().notNull(),
    at: bornAt(),
  },
  (t) => [
    primaryKey({ columns: [t.contractId, t.n] }),
    contractKey(t),
    unique('branch_moves_operation').on(t.operationId),
    check('branch_moves_moves', sql`${t.fromSha} <> ${t.toSha}`),
  ],
);

/**
 * A person's decision on leaving a guarded phase, or on completing: what was shown (version, phases,
 * digest of the deliverables) and who decided. A trigger refuses a guarded phase change without one.
 */
export const confirmations = snakeCase.table(
  'confirmations',
  {
    id: id(),
    ownerId: ownerId(),
    contractId: uuid().notNull(),
    kind: text().notNull(),
    fromPhase: text().notNull(),
    toPhase: text(),
    contractVersion: integer().notNull(),
    digest: text().notNull(),
    shown: jsonb().$type<Record<string, unknown>[]>().notNull().default([]),
    state: text().notNull().default('open'),
    requestedBy: text().notNull(),
    requestedAt: bornAt(),
    decidedByUserId: uuid(),
    decidedByKeyId: uuid(),
    decidedAt: moment(),
    notes: text(),
  },
  (t) => [
    contractKey(t),
    unique('confirmations_owner_id').on(t.ownerId, t.id),
    check('confirmations_kind', sql`${t.kind} in ('phase', 'completion')`),
    check(
      'confirmations_state',
      sql`${t.state} in ('open', 'approved', 'rejected', 'void', 'used')`,
    ),
    check(
      'confirmations_by_person',
      sql`${t.state} not in ('approved', 'used') or (${t.decidedByUserId} is not null and ${t.decidedByKeyId} is not null)`,
    ),
    uniqueIndex('confirmations_one_open')
      .on(t.contractId)
      .where(sql`${t.state} = 'open'`),
  ],
);

/** Every phase change that happened, with the version it made and the confirmation that allowed it. */
export const phaseChanges = snakeCase.table(
  'phase_changes',
  {
    id: id(),
    ownerId: ownerId(),
    contractId: uuid().notNull(),
    fromPhase: text().notNull(),
    toPhase: text().notNull(),
    version: integer().notNull(),
    guarded: boolean().notNull(),
    confirmationId: uuid(),
    byKind: text().notNull(),
    byId: uuid(),
    at: bornAt(),
  },
  (t) => [
    contractKey(t),
    unique('phase_changes_version').on(t.contractId, t.version),
    foreignKey({
      columns: [t.ownerId, t.confirmationId],
      foreignColumns: [confirmations.ownerId, confirmations.id],
    }),
    check('phase_changes_guard', sql`not ${t.guarded} or ${t.confirmationId} is not null`),
  ],
);

/** Work that was not merged, kept on a ref of the daemon's store and named. */
export const keptRefs = snakeCase.table(
  'kept_refs',
  {
    id: id(),
    ownerId: ownerId(),
    contractId: uuid(),
    taskId: uuid().notNull(),
    daemonId: uuid().notNull(),
    ref: text().notNull(),
    why: text().notNull(),
    at: bornAt(),
  },
  (t) => [
    unique('kept_refs_ref').on(t.daemonId, t.ref),
    index('kept_refs_contract').on(t.contractId),
  ],
);
