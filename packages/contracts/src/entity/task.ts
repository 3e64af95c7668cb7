/** Tasks, their tree, output, waits and long git operations on the wire (seed 002). */
import { z } from 'zod';
import { completionActions } from '@makima/domain/completion-action';
import { permissionModes } from '@makima/domain/permission-mode';
import { attemptStates, taskSessions, taskStatuses } from '@makima/domain/task';
import { limitPolicies } from '@makima/domain/usage-limit';
import { zId, zSha, zTime } from '../ids.ts';
import { wireLimits } from '../limits.ts';
import { zBudget, zBudgetInput, zSpent } from './usage.ts';
import { zConflict, zDiffFile, zOperationError } from '../socket/reports.ts';

export const zTaskStatus = z.enum(taskStatuses);

export const zAttempt = z.object({
  attempt: z.int(),
  state: z.enum(attemptStates),
  daemonId: zId.nullable(),
  pid: z.int().nullable(),
  startedAt: zTime.nullable(),
  endedAt: zTime.nullable(),
  leaseExpiresAt: zTime.nullable(),
  reason: z.string().nullable(),
  usage: zSpent,
});

export const zTask = z.object({
  id: zId,
  contractId: zId.nullable(),
  directiveId: zId.nullable(),
  parentTaskId: zId.nullable(),
  depth: z.int(),
  name: z.string(),
  description: z.string().nullable(),
  plan: z.string(),
  status: zTaskStatus,
  session: z.enum(taskSessions),
  /** Of a limited session: when it goes on; null when a person was asked. */
  resumeAt: zTime.nullable(),
  onLimit: z.enum(limitPolicies),
  isSupervisor: z.boolean(),
  agent: z.string(),
  model: z.string().nullable(),
  priority: z.int(),
  attempt: z.int(),
  retryCount: z.int(),
  version: z.int(),
  daemonId: zId.nullable(),
  repositoryUrl: z.string().nullable(),
  baseBranch: z.string().nullable(),
  targetBranch: z.string().nullable(),
  branch: z.string().nullable(),
  checkpointSha: z.string().nullable(),
  targetRepoPath: z.string().nullable(),
  completionAction: z.string().nullable(),
  permissionMode: z.enum(permissionModes),
  needs: z.array(zId),
  outputSummary: z.string().nullable(),
  errorMessage: z.string().nullable(),
  commitSha: z.string().nullable(),
  worktreePath: z.string().nullable(),
  /** What its agents have used, over all attempts. */
  usage: zSpent,
  /** Its own; that of its contract holds as well. */
  budget: zBudget.nullable(),
  /** Since when it waits to be started; null when it does not. */
  pendingSince: zTime.nullable(),
  createdAt: zTime,
  startedAt: zTime.nullable(),
  finishedAt: zTime.nullable(),
});
export type Task = z.infer<typeof zTask>;

export const zTaskDetail = zTask.extend({ attempts: z.array(zAttempt) });
export type TaskDetail = z.infer<typeof zTaskDetail>;

export interface TaskNode extends Task {
  children: TaskNode[];
}
export const zTaskNode: z.ZodType<TaskNode> = zTask.extend({
  get children() {
    return z.array(zTaskNode);
  },
}) as unknown as z.ZodType<TaskNode>;

export const zSpawnInput = z.strictObject({
  name: z.string().trim().min(1).max(wireLimits.nameChars),
  plan: z.string().min(1).max(wireLimits.planChars),
  contractId: zId,
  parentTaskId: zId.optional(),
  checkpointSha: zSha.optional(),
  repositoryUrl: z.string().min(1).max(2_000).optional(),
  description: z.string().max(wireLimits.messageChars).optional(),
  agent: z.string().min(1).max(100).optional(),
  model: z.string().max(200).optional(),
  priority: z.int().min(-100).max(100).optional(),
  /** Tasks that must be done before this one starts. */
  needs: z.array(zId).max(50).default([]),
  /** An own directory (default), or the supervisor's. */
  ownWorktree: z.boolean().default(true),
  baseBranch: z.string().max(200).optional(),
  targetBranch: z.string().max(200).optional(),
  /** What becomes of its work when it is done, by itself. */
  completionAction: z.enum(completionActions).default('none'),
  /** A repository on the machine to which `branch` and `merge` bring the branch. */
  targetRepoPath: z.string().min(1).max(4_000).optional(),
  continueFromTaskId: zId.optional(),
  copyFiles: z.array(z.string().min(1).max(1_000)).max(100).default([]),
  autonomousLoop: z.boolean().default(false),
  /** `ask`: a person is asked before each of its own tools. Where the contract asks, its tasks do too. */
  permissionMode: z.enum(permissionModes).optional(),
  /** `ask`: a person is asked before it goes on after a usage limit. Where the contract asks, its tasks do too. */
  onLimit: z.enum(limitPolicies).default('resume'),
  /** What it may spend: its supervisor is told at 80 %, it is stopped at 100 % and a person is asked. */
  budget: zBudgetInput.optional(),
});
export type SpawnInput = z.infer<typeof zSpawnInput>;

/** What became of a message: not handed over yet, in the agent's queue, read, or read by nobody. */
export const zMessageReceipt = z.object({
  messageId: zId,
  taskId: zId,
  mode: z.enum(['queue', 'steer', 'interrupt']),
  state: z.enum(['pending', 'queued', 'delivered', 'refused']),
  /** The attempt that it was last sent to; null before there is one. */
  attempt: z.int().nullable(),
  sentAt: zTime,
  deliveredAt: zTime.nullable(),
});
export type MessageReceipt = z.infer<typeof zMessageReceipt>;

/** `{taskId, status, completed, outputSummary?}` of seed 002, with the handle to go on waiting. */
export const zWaitResult = z.object({
  taskId: zId,
  status: zTaskStatus,
  completed: z.boolean(),
  outputSummary: z.string().nullable(),
  errorMessage: z.string().nullable(),
  waitId: zId.nullable(),
  /** The wait's own time is over. */
  timedOut: z.boolean(),
});

/** The time of the wait itself, not of the request that holds for it: 30 days at most. */
export const zWaitExpires = z.int().min(1).max(2_592_000);

export const zWaitManyInput = z.strictObject({
  taskIds: z.array(zId).min(1).max(200),
  mode: z.enum(['all', 'any']).default('all'),
  /** How long this request is held. */
  timeoutSeconds: z.int().min(0).max(300).default(240),
  /** The wait ends after this time, whether or not anybody holds for it; its waiter is told once. */
  expiresInSeconds: zWaitExpires.optional(),
  /** Go on with this wait instead of beginning one. */
  waitId: zId.optional(),
});
export const zWaitManyResult = z.object({
  waitId: zId,
  satisfied: z.boolean(),
  timedOut: z.boolean(),
  /** When the wait itself ends; null: when it is satisfied. */
  until: zTime.nullable(),
  tasks: z.array(
    z.object({
      taskId: zId,
      name: z.string(),
      status: zTaskStatus,
      completed: z.boolean(),
      outputSummary: z.string().nullable(),
      errorMessage: z.string().nullable(),
    }),
  ),
});

export const zMergeResult = z.object({
  operationId: zId,
  taskId: zId,
  success: z.boolean(),
  message: z.string(),
  commitSha: z.string().nullable(),
  conflicts: z.array(zConflict),
});

export const zCheckpoint = z.object({
  id: zId,
  taskId: zId,
  checkpointNumber: z.int(),
  commitSha: z.string(),
  branchName: z.string(),
  message: z.string(),
  filesChanged: z.int(),
  linesAdded: z.int(),
  linesRemoved: z.int(),
  createdAt: zTime,
});

export const zDiffResult = z.object({
  taskId: zId,
  success: z.boolean(),
  diff: z.string(),
  error: z.string().nullable(),
  files: z.array(zDiffFile),
  stats: z.object({ filesChanged: z.int(), insertions: z.int(), deletions: z.int() }),
  /** Text, files or hunks are missing because they would be too large; the counts are of the whole. */
  truncated: z.boolean(),
  operationId: zId,
});

/** `{success, branchName, message}` of seed 002, with where it stands. */
export const zBranchResult = z.object({
  operationId: zId,
  success: z.boolean(),
  /** The whole name, of the form `makima/<contract>.<name>`. */
  branchName: z.string(),
  message: z.string(),
  commitSha: z.string(),
});

/** `{prUrl, prNumber}` of seed 002, with what they stand for. */
export const zPullRequest = z.object({
  operationId: zId,
  success: z.boolean(),
  message: z.string(),
  prUrl: z.string(),
  prNumber: z.int(),
  state: z.enum(['open', 'closed', 'merged']),
  branch: z.string(),
  baseBranch: z.string(),
  commitSha: z.string(),
  /** False: the branch had one already. */
  created: z.boolean(),
});

/** A long git operation: pending until the daemon's report, which may come late. */
export const zOperation = z.object({
  id: zId,
  kind: z.string(),
  taskId: zId.nullable(),
  contractId: zId.nullable(),
  state: z.enum(['pending', 'done', 'failed']),
  result: z.record(z.string(), z.unknown()).nullable(),
  error: zOperationError.nullable(),
  requestedAt: zTime,
  finishedAt: zTime.nullable(),
});

export const zOutputEntry = z.object({
  seq: z.int(),
  attempt: z.int(),
  messageType: z.string(),
  content: z.string(),
  toolName: z.string().nullable(),
  toolInput: z.unknown(),
  isError: z.boolean(),
  costUsd: z.number().nullable(),
  durationMs: z.number().nullable(),
  isPartial: z.boolean(),
  at: zTime,
});

export const zConversationMessage = z.object({
  id: zId,
  seq: z.int(),
  attempt: z.int(),
  role: z.enum(['user', 'assistant', 'system', 'tool']),
  content: z.string(),
  toolName: z.string().nullable(),
  toolInput: z.unknown(),
  isError: z.boolean(),
  timestamp: zTime,
});
