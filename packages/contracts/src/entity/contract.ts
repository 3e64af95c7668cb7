/**
 * Contracts on the wire. Names of the seeds (004); times ISO 8601; `version` is the expected version of
 * the next change.
 */
import { z } from 'zod';
import { contractStatuses, waitingForKinds } from '@makima/domain/contract';
import { permissionModes } from '@makima/domain/permission-mode';
import { limitPolicies } from '@makima/domain/usage-limit';
import { zId, zTime } from '../ids.ts';
import { wireLimits } from '../limits.ts';
import { zBudget, zBudgetInput, zSpent } from './usage.ts';

export const zContractStatus = z.enum(contractStatuses);

export const zRepository = z.object({
  id: zId,
  name: z.string(),
  repositoryUrl: z.string().nullable(),
  localPath: z.string().nullable(),
  baseBranch: z.string().nullable(),
  isPrimary: z.boolean(),
  /** What its own settings execute (hooks, tool servers) takes part: an owner vouches for it. */
  trusted: z.boolean(),
  trustedBy: z.string().nullable(),
  trustedAt: zTime.nullable(),
});
export type Repository = z.infer<typeof zRepository>;

export const zDeliverable = z.object({
  id: z.string(),
  name: z.string(),
  phase: z.string(),
  required: z.boolean(),
  completed: z.boolean(),
  completedAt: zTime.nullable(),
  /** Its evidence does not hold any more where the branch stands now: it counts again when it is shown again. */
  stale: z.boolean(),
  staleSince: zTime.nullable(),
  staleReason: z.string().nullable(),
  evidence: z.array(z.record(z.string(), z.unknown())),
});
export type Deliverable = z.infer<typeof zDeliverable>;

/** What a person sees first; the server computes it, every list shows it. */
export const zAttention = z.enum([
  'needs_you',
  'failed',
  'stale',
  'limited',
  'running',
  'queued',
  'paused',
  'done',
  'archived',
]);

export const zLimitPolicy = z.enum(limitPolicies);

export const zContract = z.object({
  id: zId,
  slug: z.string(),
  name: z.string(),
  description: z.string(),
  contractType: z.string(),
  status: zContractStatus,
  phase: z.string(),
  phases: z.array(z.string()),
  guardedPhases: z.array(z.string()),
  version: z.int(),
  attention: zAttention,
  waitingFor: z.enum(waitingForKinds).nullable(),
  blockedReason: z.string().nullable(),
  failureReason: z.string().nullable(),
  localOnly: z.boolean(),
  autoMergeLocal: z.boolean(),
  /** Its supervisor may push its branches and open pull requests without asking. */
  allowPullRequests: z.boolean(),
  permissionMode: z.enum(permissionModes),
  autoCompleteEnabled: z.boolean(),
  priority: z.int(),
  /** Null: as the installation says. 0: its supervisor is never parked. */
  parkAfterSeconds: z.int().nullable(),
  onLimit: zLimitPolicy,
  /** When the first of its agents that wait for a usage limit goes on. */
  limitedUntil: zTime.nullable(),
  supervisorTaskId: zId.nullable(),
  taskCounts: z.record(z.string(), z.int()),
  openQuestions: z.int(),
  /** What its tasks have used, the supervisor included. */
  usage: zSpent,
  budget: zBudget.nullable(),
  statusChangedAt: zTime,
  completionDetectedAt: zTime.nullable(),
  lastActivityAt: zTime,
  createdAt: zTime,
});
export type Contract = z.infer<typeof zContract>;

export const zContractDetail = zContract.extend({
  repositories: z.array(zRepository),
  deliverables: z.array(zDeliverable),
  keptRefs: z.array(z.object({ taskId: zId, ref: z.string(), why: z.string() })),
  /** Its branch in the local repository it came from, once it was brought there; null before, and without one. */
  delivery: z
    .object({
      branch: z.string(),
      commitSha: z.string().nullable(),
      /** Whether the base branch stands there too; asked for by `autoMergeLocal`. */
      baseMoved: z.boolean(),
      /** One sentence: where it stands, or why what was asked for could not be done. */
      note: z.string(),
    })
    .nullable(),
});
export type ContractDetail = z.infer<typeof zContractDetail>;

export const zRepositoryInput = z
  .strictObject({
    name: z.string().min(1).max(wireLimits.nameChars).optional(),
    repositoryUrl: z.string().min(1).max(2_000).optional(),
    localPath: z.string().min(1).max(4_000).optional(),
    baseBranch: z.string().min(1).max(200).optional(),
    isPrimary: z.boolean().optional(),
    /** Only an owner may say so. */
    trusted: z.boolean().optional(),
  })
  .refine((r) => (r.repositoryUrl === undefined) !== (r.localPath === undefined), {
    message: 'give exactly one of repositoryUrl and localPath',
  });

const zParkAfter = z.int().min(0).max(604_800);

export const zContractInput = z.strictObject({
  name: z.string().trim().min(1).max(wireLimits.nameChars),
  /** The goal, in the words of the person. */
  description: z.string().min(1).max(wireLimits.planChars),
  contractType: z.string().min(1).max(100).default('simple'),
  repositories: z.array(zRepositoryInput).max(20).default([]),
  /** Guard every phase but the last, none, or the named ones. */
  phaseGuard: z.union([z.boolean(), z.array(z.string().max(100)).max(20)]).default(true),
  extraDeliverables: z
    .array(
      z.strictObject({
        phase: z.string().max(100),
        id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
        name: z.string().min(1).max(wireLimits.nameChars),
        required: z.boolean().default(false),
      }),
    )
    .max(50)
    .default([]),
  localOnly: z.boolean().default(false),
  autoMergeLocal: z.boolean().default(false),
  allowPullRequests: z.boolean().default(false),
  /** `ask`: its agents ask a person before each of their own tools. */
  permissionMode: z.enum(permissionModes).default('bypass'),
  autoCompleteEnabled: z.boolean().default(true),
  priority: z.int().min(-100).max(100).default(0),
  /** How long its supervisor may wait before it gives up its process; 0: it never does. */
  parkAfterSeconds: zParkAfter.nullable().default(null),
  /** What follows when an agent meets a usage limit: it goes on when that ends, or you are asked. */
  onLimit: zLimitPolicy.default('resume'),
  /** What all its agents may spend: you are told at 80 %; at 100 % they are stopped and you are asked. */
  budget: zBudgetInput.nullable().default(null),
  /** Agent and model of the supervisor, and the default of its tasks. */
  agent: z.string().min(1).max(100).default('claude'),
  model: z.string().max(200).nullable().default(null),
  /** Text that the supervisor starts with; by default made from the goal. */
  supervisorPlan: z.string().max(wireLimits.planChars).nullable().default(null),
  /** Start the supervisor at once. */
  start: z.boolean().default(true),
});
export type ContractInput = z.infer<typeof zContractInput>;

export const zContractPatch = z
  .strictObject({
    name: z.string().trim().min(1).max(wireLimits.nameChars).optional(),
    description: z.string().min(1).max(wireLimits.planChars).optional(),
    phaseGuard: z.union([z.boolean(), z.array(z.string().max(100)).max(20)]).optional(),
    localOnly: z.boolean().optional(),
    autoMergeLocal: z.boolean().optional(),
    allowPullRequests: z.boolean().optional(),
    /** Holds for agents that are started from now on. */
    permissionMode: z.enum(permissionModes).optional(),
    autoCompleteEnabled: z.boolean().optional(),
    priority: z.int().min(-100).max(100).optional(),
    parkAfterSeconds: zParkAfter.nullable().optional(),
    onLimit: zLimitPolicy.optional(),
    /** Null: none. Whoever is stopped goes on when it is enough. */
    budget: zBudgetInput.nullable().optional(),
    /** The present phase is left without its validator from now on, by this contract alone. */
    skipValidator: z.literal(true).optional(),
    expectedVersion: z.int().optional(),
  })
  .refine((p) => p.skipValidator === undefined || p.expectedVersion !== undefined, {
    path: ['expectedVersion'],
    message:
      'say the version that you saw: a request that comes late must not skip the validator of a later phase',
  });
