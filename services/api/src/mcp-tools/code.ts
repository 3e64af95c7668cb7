/** Tools about code: checkpoint, merge, diff, read a file. */
import { z } from 'zod';
import { zId } from '@makima/contracts/ids';
import { requestCheckpoint, requestDiff, requestMerge } from '@makima/engine/operation/request';
import { holdForOperation, resultOf } from '../holds/operation.ts';
import { readTaskFile } from '../task-file.ts';
import { defineTool, goOn, pending, shown, taskIdOf } from './tool.ts';

const zHandle = zId.optional().describe('of an earlier call that was still pending');
const stillAtWork = 'The machine is still at work. Call again as `next` says.';

export const checkpoint = defineTool({
  name: 'makima_checkpoint',
  title: 'Make a checkpoint',
  description:
    'Save everything in the working directory, untracked files included, as a commit beside your branch that can be returned to. Do it before something risky and when a step is done. Your branch and index stay as they are.',
  input: z.strictObject({
    message: z.string().trim().min(1).max(2_000),
    taskId: zId.optional().describe('default: your own task'),
    operationId: zHandle,
  }),
  output: z.object({
    ...pending,
    taskId: z.string(),
    commitSha: z.string().nullable(),
    operationId: z.string(),
  }),
  agents: 'all',
  people: 'too',
  effect: 'writes',
  run: async ({ engine, call, caller, input, hold }) => {
    const taskId = taskIdOf(caller, input.taskId);
    const asked = { id: taskId, message: input.message };
    const operationId =
      input.operationId ?? (await requestCheckpoint(engine, call, asked)).result.operationId;
    const held = await holdForOperation(hold(), operationId);
    if (held.value.state === 'pending') {
      return {
        ...goOn('makima_checkpoint', { ...input, operationId }, stillAtWork),
        taskId,
        commitSha: null,
        operationId,
      };
    }
    const { commitSha } = resultOf(held, 'task.checkpoint');
    return { stillPending: false, taskId, commitSha, operationId };
  },
});

export const merge = defineTool({
  name: 'makima_merge',
  title: 'Merge a task',
  description:
    'Bring the branch of a finished task into the contract’s branch; with your own task id, what you committed yourself. Your directory is not moved by it: `note` says how to get it. On conflicts nothing changes and `conflicts` lists the files: spawn a task that resolves them on top of the contract’s branch, then merge that one.',
  input: z.strictObject({
    taskId: zId,
    targetBranch: z.string().min(1).max(200).optional(),
    squash: z.boolean().default(false),
    operationId: zHandle,
  }),
  output: z.object({
    ...pending,
    taskId: z.string(),
    merged: z.boolean(),
    message: z.string(),
    commitSha: z.string().nullable(),
    conflicts: z.array(z.string()),
    operationId: z.string(),
  }),
  agents: 'supervisor',
  people: 'too',
  effect: 'writes',
  run: async ({ engine, call, input, hold }) => {
    const { taskId, operationId: handle, ...how } = input;
    const operationId =
      handle ?? (await requestMerge(engine, call, { id: taskId, ...how })).result.operationId;
    const held = await holdForOperation(hold(), operationId);
    const base = { taskId, operationId };
    if (held.value.state === 'pending') {
      const waiting = { merged: false, message: 'not merged yet', commitSha: null, conflicts: [] };
      return {
        ...goOn('makima_merge', { ...input, operationId }, stillAtWork),
        ...base,
        ...waiting,
      };
    }
    const { success, message, commitSha, conflicts } = resultOf(held, 'branch.merge');
    const paths = conflicts.map((conflict) => conflict.path).slice(0, 200);
    const merged = { merged: success, message, commitSha, conflicts: paths };
    // The objects are shared with the agent's repository; its branch and files are its own to move.
    const note =
      success && commitSha !== null
        ? { note: `To have it in your directory: git merge --ff-only ${commitSha}` }
        : {};
    return { stillPending: false, ...base, ...merged, ...note };
  },
});

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
        operationId,
      };
    }
    const result = resultOf(held, 'task.diff');
    const text = shown(result.diff);
    return {
      stillPending: false,
      taskId,
      diff: text.text,
      cut: text.cut || result.truncated,
      files: result.files
        .slice(0, 300)
        .map(({ path, action, additions, deletions }) => ({ path, action, additions, deletions })),
      operationId,
    };
  },
});

const linesMost = 2_000;

export const readFile = defineTool({
  name: 'makima_read_file',
  title: 'Read a file of a task',
  description:
    'A file in the directory of a task, by its path there. Long files come in parts: go on at `nextLine` with fromLine.',
  input: z.strictObject({
    taskId: zId,
    filePath: z.string().min(1).max(4_000),
    fromLine: z.int().min(1).default(1),
    lines: z.int().min(1).max(linesMost).default(400),
  }),
  output: z.object({
    taskId: z.string(),
    filePath: z.string(),
    exists: z.boolean(),
    content: z.string(),
    lineCount: z.int(),
    nextLine: z.int().nullable(),
  }),
  agents: 'supervisor',
  people: 'too',
  effect: 'reads',
  run: async ({ api, engine, caller, input, signal }) => {
    const args = { engine, bus: api.bus, pubsub: api.pubsub, caller, signal };
    const file = await readTaskFile(args, { id: input.taskId, filePath: input.filePath });
    const all = file.content.split('\n');
    const from = input.fromLine - 1;
    const part = shown(all.slice(from, from + input.lines).join('\n'));
    const given = part.text.split('\n').length;
    const nextLine = from + given < all.length ? from + given + 1 : null;
    return {
      taskId: input.taskId,
      filePath: input.filePath,
      exists: file.exists,
      content: part.text,
      lineCount: all.length,
      nextLine,
    };
  },
});
