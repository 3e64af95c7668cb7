/**
 * What the control plane tells a daemon: durable, numbered per daemon, delivered until acked, applied
 * once. Grammar `noun.verb`.
 *
 * Law: every command carries the fence (task, attempt) of what it acts on; no secret stands in a command,
 * and what is big (transcript, patch) is fetched by an ask when the daemon is ready for it.
 */
import { z } from 'zod';
import { permissionModes } from '@makima/domain/permission-mode';
import { zId, zSha } from '../ids.ts';

const fence = { taskId: zId, attempt: z.int().positive() };
const operation = { operationId: zId };

/** Where a task's code comes from. Exactly one of `url` and `path`. */
export const zRepositorySpec = z.strictObject({
  url: z.string().nullable(),
  path: z.string().nullable(),
  baseBranch: z.string().nullable(),
});
export type RepositorySpec = z.infer<typeof zRepositorySpec>;

/**
 * Where the contract's branch stands, as far as the control plane was told. A machine whose copy does not hold this
 * commit brings it in first (ask `branch`); without it nothing is done there.
 */
export const zContractHead = z.strictObject({
  contractId: zId,
  branch: z.string(),
  commitSha: zSha,
});
export type ContractHead = z.infer<typeof zContractHead>;

/** Absent while nothing was merged into the contract's branch. */
const contractHead = { contractHead: zContractHead.optional() };

/** A message for an agent. `id` is the agent-side idempotency key. */
export const zAgentMessage = z.strictObject({
  id: zId,
  text: z.string(),
  mode: z.enum(['queue', 'steer', 'interrupt']),
  /** The message answers this request of the agent's own (`agent.asked`); `text` is read when it is gone. */
  requestId: z.string().optional(),
  /** The answer to that request, alone. */
  answer: z.string().optional(),
});
export type AgentMessage = z.infer<typeof zAgentMessage>;

export const zTaskStart = z.strictObject({
  kind: z.literal('task.start'),
  ...fence,
  contractId: zId.nullable(),
  contractSlug: z.string().nullable(),
  isSupervisor: z.boolean(),
  name: z.string(),
  agent: z.string(),
  model: z.string().nullable(),
  /** The text the agent starts with when its conversation is new. */
  plan: z.string(),
  /** Text that goes beside the agent's own instructions: role, tools, house rules. */
  systemAppend: z.string(),
  /** The agent's own conversation id, chosen by us; the same over restarts. */
  sessionId: zId,
  /** Continue the conversation `sessionId` instead of starting it. */
  resumeSession: z.boolean(),
  /** The server holds a transcript of that conversation (ask `transcript`), for when it is not on this machine. */
  hasTranscript: z.boolean(),
  repository: zRepositorySpec.nullable(),
  /** An owner vouches for the repository: what its settings execute may take part. Not sent when nobody does. */
  trusted: z.literal(true).optional(),
  /** Branch in the task's own repository. */
  branch: z.string(),
  /** Where the branch starts: a commit, or null for the contract's branch (else the base branch). */
  startSha: zSha.nullable(),
  /** A person goes back to this checkpoint: a new directory as it was then; the former one is kept on a ref. */
  checkpointSha: zSha.optional(),
  /** The branch of the source that it starts from, when one was asked for. */
  startBranch: z.string().optional(),
  /** The contract's branch in the store, where supervisors merge to. */
  contractBranch: z.string().nullable(),
  ...contractHead,
  /** Before anything was merged into it: where it began on the first machine, and begins here if that can be had. */
  branchStartSha: zSha.optional(),
  /**
   * The last attempt that ran, on another machine. A directory of an earlier one that stands here is older than the
   * task's work: a new one is made, and what the old one holds is kept.
   */
  workAttempt: z.int().positive().optional(),
  /** Use the supervisor's directory instead of an own one. */
  supervisorWorktreeTaskId: zId.nullable(),
  /** Continue in the directory state of this task (`continueFromTaskId`). */
  continueFromTaskId: zId.nullable(),
  copyFiles: z.array(z.string()),
  /** Rebuild from this checkpoint when the directory is not here: ask `patch`. */
  patchCheckpointId: zId.nullable(),
  patchBaseSha: zSha.nullable(),
  localOnly: z.boolean(),
  autoMergeLocal: z.boolean(),
  /** Its agent is told to go on after each turn until it says that it is done. */
  autonomousLoop: z.boolean(),
  /** So often at most. */
  loopRoundsMax: z.int().positive().optional(),
  /** W3C `traceparent` of what ordered it. Not sent where nobody traces. */
  trace: z.string().max(100).optional(),
  /** Whether it asks a person before it uses its own tools. */
  permissionMode: z.enum(permissionModes).default('bypass'),
  /** What waits for this agent, in order: notices, answers, messages. */
  messages: z.array(zAgentMessage),
});
export type TaskStart = z.infer<typeof zTaskStart>;

export const zCommand = z.discriminatedUnion('kind', [
  zTaskStart,
  /** End this attempt's agent; its work is kept on a ref. */
  z.strictObject({
    kind: z.literal('task.stop'),
    ...fence,
    reason: z.enum(['cancelled', 'paused', 'completed', 'fenced', 'parked']),
    graceMs: z.int().nonnegative(),
    /** Its agent may end its turn first, within this time. Not sent for an end at once. */
    finishTurnMs: z.int().positive().optional(),
  }),
  z.strictObject({ kind: z.literal('task.message'), ...fence, message: zAgentMessage }),
  /** Commit everything in the directory on a checkpoint ref, and report commit and patch. */
  z.strictObject({
    kind: z.literal('task.checkpoint'),
    ...operation,
    ...fence,
    number: z.int().positive(),
    message: z.string(),
  }),
  z.strictObject({ kind: z.literal('task.diff'), ...operation, ...fence }),
  /** Send the commits of (task, attempt) that no other copy of the source has, in `patch.stored` parts. */
  z.strictObject({
    kind: z.literal('task.pack'),
    ...operation,
    ...fence,
    repository: zRepositorySpec,
  }),
  /**
   * Merge the work of (task, attempt) into a branch of the store (`makima/…`), or into a branch of the local
   * repository that it came from.
   */
  z.strictObject({
    kind: z.literal('branch.merge'),
    ...operation,
    ...fence,
    repository: zRepositorySpec,
    ...contractHead,
    targetBranch: z.string(),
    /** Refuse any branch of that repository but its default one. */
    defaultOnly: z.boolean().optional(),
    squash: z.boolean(),
    /** Of files with these paths it must be told whether the merge touched them. */
    watch: z.array(z.string()).optional(),
    /** Send what the branch then has that no other copy of the source has, in `patch.stored` parts. */
    carry: z.literal(true).optional(),
    message: z.string(),
    /** The work was done on another machine: its commits are fetched first, by the ask `pack`. */
    pack: z
      .strictObject({ operationId: zId, commitSha: zSha, parts: z.int().nonnegative() })
      .optional(),
  }),
  /**
   * Make a branch in the store. Without `fromRef`, or with `HEAD`, it begins where the work of (task, attempt)
   * stands now.
   */
  z.strictObject({
    kind: z.literal('branch.create'),
    ...operation,
    ...fence,
    repository: zRepositorySpec,
    ...contractHead,
    branch: z.string(),
    fromRef: z.string().nullable(),
    /** Where it begins when that task has made no commit. */
    contractBranch: z.string(),
  }),
  /**
   * Push a branch of the store to the repository it came from, and open a pull request for it, or find the one
   * that is there. The token is the machine's own.
   */
  z.strictObject({
    kind: z.literal('pr.open'),
    ...operation,
    ...fence,
    repository: zRepositorySpec,
    ...contractHead,
    branch: z.string(),
    /** `branch`: it stands in the store; `task`: it is made there of the work of (task, attempt). */
    from: z.enum(['branch', 'task']),
    /** Refuse when the branch stands elsewhere: a person allowed it as it was there. */
    expectedSha: zSha.optional(),
    /** Null: the repository's default branch. */
    baseBranch: z.string().nullable(),
    title: z.string(),
    body: z.string(),
  }),
  /**
   * Hand work to people: as a branch of the store (`task`: made of the work of (task, attempt)), brought into a
   * repository on this machine when one is named.
   */
  z.strictObject({
    kind: z.literal('branch.hand_over'),
    ...operation,
    ...fence,
    repository: zRepositorySpec,
    ...contractHead,
    branch: z.string(),
    from: z.enum(['task', 'branch']),
    toPath: z.string().nullable(),
  }),
  /** Bring the contract's branch into the local repository that it came from. */
  z.strictObject({
    kind: z.literal('branch.deliver'),
    ...operation,
    contractId: zId,
    repository: zRepositorySpec,
    ...contractHead,
    branch: z.string(),
    fastForwardBase: z.boolean(),
  }),
  /** Look whether evidence holds: a file at a branch's head, or a command's exit code there. */
  z.strictObject({
    kind: z.literal('evidence.check'),
    ...operation,
    repository: zRepositorySpec,
    ...contractHead,
    branch: z.string(),
    path: z.string().nullable(),
    command: z.array(z.string()).min(1).nullable(),
    timeoutMs: z.int().positive(),
  }),
  /** The work is over: keep what is unmerged on a ref, then remove the directory. */
  z.strictObject({
    kind: z.literal('workdir.clean'),
    ...operation,
    ...fence,
    /**
     * What this commit holds is merged, and needs no ref: a copy of the branch may have more, by merges that were
     * refused. Null while nothing was merged into the contract's branch; absent where there is none.
     */
    contractHead: zContractHead.nullable().optional(),
  }),
]);
export type Command = z.infer<typeof zCommand>;
export type CommandKind = Command['kind'];
export type CommandOf<K extends CommandKind> = Extract<Command, { kind: K }>;
