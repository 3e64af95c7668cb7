/** Tools about branches: make one, merge a task, see what it changed. */
import { z } from 'zod';
import { zId } from '@makima/contracts/ids';
import { zBranchResult } from '@makima/contracts/entity/task';
import type { OperationResult } from '@makima/contracts/socket/reports';
import { requestBranch } from '@makima/engine/operation/branch';
import { requestMerge } from '@makima/engine/operation/merge';
import { requestDiff } from '@makima/engine/operation/request';
import { branchOf } from '../branch-answer.ts';
import { holdForOperation, resultOf } from '../holds/operation.ts';
import { orderWithLeave, personAsked, zLeaveHandle } from './leave.ts';
import { contractIdOf, defineTool, goOn, pending, shown, stillAtWork, zHandle } from './tool.ts';

export const branch = defineTool({
  name: 'makima_branch',
  title: 'Make a branch',
  description:
    'Make a branch beside the contract’s own, named makima/<contract>.<name>: to merge alternatives into (targetBranch of makima_merge), to start tasks from (baseBranch of makima_spawn), or for a pull request. It begins at `fromRef` (branch, tag, commit), else where your own commits stand.',
  input: z.strictObject({
    branchName: z.string().min(1).max(200),
    fromRef: z.string().min(1).max(200).optional(),
    contractId: zId.optional(),
    operationId: zHandle,
  }),
  output: zBranchResult.omit({ commitSha: true }).extend({
    ...pending,
    commitSha: z.string().nullable(),
  }),
  agents: 'supervisor',
  people: 'too',
  effect: 'writes',
  run: async ({ engine, call, caller, input, hold }) => {
    const { operationId: handle, ...rest } = input;
    const asked = { ...rest, contractId: contractIdOf(caller, input.contractId) };
    const operationId = handle ?? (await requestBranch(engine, call, asked)).result.operationId;
    const held = await holdForOperation(hold(), operationId);
    if (held.value.state === 'pending') {
      return {
        ...goOn('makima_branch', { ...input, operationId }, stillAtWork),
        operationId,
        success: false,
        branchName: input.branchName,
        message: 'not made yet',
        commitSha: null,
      };
    }
    return { stillPending: false, ...branchOf(held) };
  },
});

type Merged = Extract<OperationResult, { kind: 'branch.merge' }>;
const conflictsMost = 200;
/** Of all conflicts together; beyond it their paths only. */
const conflictsMaxChars = 24_000;

export const merge = defineTool({
  name: 'makima_merge',
  title: 'Merge a task',
  description:
    'Bring the branch of a finished task into the contract’s branch; with your own task id, what you committed yourself. Your directory is not moved by it: `note` says how to get it. On conflicts nothing changes and `conflicts` shows both sides: spawn a task that resolves them on top of the contract’s branch, then merge that one.',
  input: z.strictObject({
    taskId: zId,
    targetBranch: z.string().min(1).max(200).optional(),
    squash: z.boolean().default(false),
    operationId: zHandle,
    questionId: zLeaveHandle,
  }),
  output: z.object({
    ...pending,
    taskId: z.string(),
    merged: z.boolean(),
    message: z.string(),
    commitSha: z.string().nullable(),
    conflicts: z.array(
      z.object({
        path: z.string(),
        ours: z.string().nullable(),
        theirs: z.string().nullable(),
        hunks: z.array(z.string()),
      }),
    ),
    /** Sides or conflicts are missing because they would be too long. */
    cut: z.boolean(),
    operationId: z.string().nullable(),
  }),
  agents: 'supervisor',
  people: 'too',
  effect: 'writes',
  run: async (args) => {
    const { engine, input, hold } = args;
    const { taskId, targetBranch, squash } = input;
    const asked = { id: taskId, targetBranch, squash };
    const outcome = await orderWithLeave(args, (call) => requestMerge(engine, call, asked), input);
    const none = { taskId, merged: false, commitSha: null, conflicts: [], cut: false };
    if (outcome.kind === 'denied') {
      const message = `A person denied it: ${outcome.response}`;
      return { stillPending: false, ...none, message, operationId: null };
    }
    if (outcome.kind === 'asked') {
      const next = goOn('makima_merge', { ...input, questionId: outcome.questionId }, personAsked);
      return { ...next, ...none, message: 'not allowed yet', operationId: null };
    }
    const { operationId } = outcome;
    const held = await holdForOperation(hold(), operationId);
    if (held.value.state === 'pending') {
      const next = goOn('makima_merge', { ...input, operationId }, stillAtWork);
      return { ...next, ...none, message: 'not merged yet', operationId };
    }
    const { success, message, commitSha, conflicts } = resultOf(held, 'branch.merge');
    const merged = { merged: success, message, commitSha, ...shownConflicts(conflicts) };
    // The objects are shared with the agent's repository; its branch and files are its own to move.
    const note =
      success && commitSha !== null
        ? { note: `To have it in your directory: git merge --ff-only ${commitSha}` }
        : {};
    return { stillPending: false, taskId, operationId, ...merged, ...note };
  },
});

/** As many as fit with both sides; the others by their paths. */
function shownConflicts(
  conflicts: Merged['conflicts'],
): Pick<Merged, 'conflicts'> & { cut: boolean } {
  let room = conflictsMaxChars;
  let cut = conflicts.length > conflictsMost;
  const listed = conflicts.slice(0, conflictsMost).map((conflict) => {
    room -= JSON.stringify(conflict).length;
    if (room >= 0) return conflict;
    cut = true;
    return { path: conflict.path, ours: null, theirs: null, hunks: [] };
  });
  return { conflicts: listed, cut };
}

export const diff = defineTool({
  name: 'makima_diff',
  title: 'See what a task changed',
  description:
    'The change that a task made against its base, as a unified diff with the list of files. A long one is cut: then read the files with makima_read_file.',
  input: z.strictObject({ taskId: zId, operationId: zHandle }),
  output: z.object({
    ...pending,
    taskId: z.string(),
    diff: z.string(),
    cut: z.boolean(),
    files: z.array(
      z.object({ path: z.string(), action: z.string(), additions: z.int(), deletions: z.int() }),
    ),
    stats: z.object({ filesChanged: z.int(), insertions: z.int(), deletions: z.int() }),
    operationId: z.string(),
  }),
  agents: 'supervisor',
  people: 'too',
  effect: 'reads',
  run: async ({ engine, call, input, hold }) => {
    const { taskId } = input;
    const operationId =
      input.operationId ?? (await requestDiff(engine, call, { id: taskId })).result.operationId;
    const held = await holdForOperation(hold(), operationId);
    if (held.value.state === 'pending') {
      return {
        ...goOn('makima_diff', { taskId, operationId }, stillAtWork),
        taskId,
        diff: '',
        cut: false,
        files: [],
        stats: { filesChanged: 0, insertions: 0, deletions: 0 },
        operationId,
      };
    }
    const result = resultOf(held, 'task.diff');
    const text = shown(result.diff);
    const files = result.files.slice(0, 300);
    return {
      stillPending: false,
      taskId,
      diff: text.text,
      cut: text.cut || result.truncated || files.length < result.files.length,
      files: files.map(({ path, action, additions, deletions }) => ({
        path,
        action,
        additions,
        deletions,
      })),
      stats: result.stats,
      operationId,
    };
  },
});
