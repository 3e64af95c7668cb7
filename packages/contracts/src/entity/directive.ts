/** Directives and orders on the wire (seed 002; M2.10). */
import { z } from 'zod';
import {
  directiveStatuses,
  orderPriorities,
  orderStatuses,
  orderTypes,
} from '@makima/domain/directive';
import { reconcileModes } from '@makima/domain/question';
import { zId, zTime } from '../ids.ts';
import { wireLimits } from '../limits.ts';
import { zContractStatus } from './contract.ts';
import { zTask } from './task.ts';

export const zDirective = z.object({
  id: zId,
  title: z.string(),
  goal: z.string(),
  status: z.enum(directiveStatuses),
  /** How long a question of its agents blocks: `auto` 30 s, the others until it is answered. */
  reconcileMode: z.enum(reconcileModes),
  repositoryUrl: z.string().nullable(),
  localPath: z.string().nullable(),
  baseBranch: z.string().nullable(),
  agent: z.string(),
  model: z.string().nullable(),
  version: z.int(),
  openOrders: z.int(),
  /** Of its agents, those that are not over. */
  openTasks: z.int(),
  createdAt: zTime,
  updatedAt: zTime,
});
export type Directive = z.infer<typeof zDirective>;

export const zDirectiveDetail = zDirective.extend({
  /** The newest first, at most 50. */
  tasks: z.array(zTask),
  /** What its accepted orders became: the newest first, at most 50. */
  contracts: z.array(
    z.object({
      id: zId,
      slug: z.string(),
      name: z.string(),
      status: zContractStatus,
      phase: z.string(),
    }),
  ),
});
export type DirectiveDetail = z.infer<typeof zDirectiveDetail>;

const title = z.string().trim().min(1).max(wireLimits.nameChars);
const agent = z.string().min(1).max(100);
const model = z.string().max(200).nullable();
const place = {
  repositoryUrl: z.string().min(1).max(2_000),
  localPath: z.string().min(1).max(4_000),
  baseBranch: z.string().min(1).max(200),
};

export const zDirectiveInput = z
  .strictObject({
    title,
    /** What should always be so, in the words of the person. */
    goal: z.string().min(1).max(wireLimits.planChars),
    reconcileMode: z.enum(reconcileModes).default('auto'),
    repositoryUrl: place.repositoryUrl.optional(),
    localPath: place.localPath.optional(),
    baseBranch: place.baseBranch.optional(),
    agent: agent.default('claude'),
    model: model.default(null),
    /** Send an agent at once. */
    start: z.boolean().default(true),
  })
  .refine((d) => d.repositoryUrl === undefined || d.localPath === undefined, {
    message: 'give at most one of repositoryUrl and localPath',
  });
export type DirectiveInput = z.infer<typeof zDirectiveInput>;

export const zDirectivePatch = z
  .strictObject({
    title: title.optional(),
    goal: z.string().min(1).max(wireLimits.planChars).optional(),
    status: z.enum(directiveStatuses).optional(),
    reconcileMode: z.enum(reconcileModes).optional(),
    /** Another place; the one that is given takes the place of the other. */
    repositoryUrl: place.repositoryUrl.optional(),
    localPath: place.localPath.optional(),
    baseBranch: place.baseBranch.nullable().optional(),
    agent: agent.optional(),
    model: model.optional(),
    expectedVersion: z.int().optional(),
  })
  .refine((d) => d.repositoryUrl === undefined || d.localPath === undefined, {
    message: 'give at most one of repositoryUrl and localPath',
  });
export type DirectivePatch = z.infer<typeof zDirectivePatch>;

export const zDirectiveTaskInput = z.strictObject({
  name: title.optional(),
  /** What to do this time; by default made from the goal and the orders that are open. */
  plan: z.string().min(1).max(wireLimits.planChars).optional(),
  agent: agent.optional(),
  model: z.string().max(200).optional(),
});
export type DirectiveTaskInput = z.infer<typeof zDirectiveTaskInput>;

export const zOrder = z.object({
  id: zId,
  directiveId: zId,
  createdByTaskId: zId.nullable(),
  title: z.string(),
  description: z.string().nullable(),
  priority: z.enum(orderPriorities),
  status: z.enum(orderStatuses),
  orderType: z.enum(orderTypes),
  labels: z.array(z.string()),
  /** URL, or path on the machine of the daemon. */
  repositoryUrl: z.string().nullable(),
  /** What it became, when it is accepted. */
  contractId: zId.nullable(),
  decidedBy: z.string().nullable(),
  decidedAt: zTime.nullable(),
  dismissedReason: z.string().nullable(),
  createdAt: zTime,
});
export type Order = z.infer<typeof zOrder>;

export const zOrderInput = z.strictObject({
  title,
  description: z.string().min(1).max(wireLimits.messageChars).optional(),
  priority: z.enum(orderPriorities).default('medium'),
  /** `spike` or `chore`; anything else is INVALID_ORDER_TYPE. */
  orderType: z.string().min(1).max(100).default('spike'),
  labels: z.array(z.string().trim().min(1).max(100)).max(20).default([]),
  /** Another repository than the directive's. */
  repositoryUrl: z.string().min(1).max(2_000).optional(),
});
export type OrderInput = z.infer<typeof zOrderInput>;

/** How the contract is made. */
export const zAcceptInput = z.strictObject({
  name: title.optional(),
  contractType: z.string().min(1).max(100).default('simple'),
  phaseGuard: z.union([z.boolean(), z.array(z.string().max(100)).max(20)]).default(true),
  /** By default those of the directive. */
  agent: agent.optional(),
  model: z.string().max(200).optional(),
  start: z.boolean().default(true),
});
export type AcceptInput = z.infer<typeof zAcceptInput>;
