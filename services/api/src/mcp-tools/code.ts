/** Tools about the files of a task: checkpoint, its list, read a file. */
import { z } from 'zod';
import { zId } from '@makima/contracts/ids';
import { zCheckpoint } from '@makima/contracts/entity/task';
import { listCheckpoints } from '@makima/engine/operation/read';
import { requestCheckpoint } from '@makima/engine/operation/request';
import { holdForOperation, resultOf } from '../holds/operation.ts';
import { readTaskFile } from '../task-file.ts';
import { defineTool, goOn, pending, shown, stillAtWork, taskIdOf, zHandle } from './tool.ts';

/** The newest of them that one answer shows. */
const checkpointsMost = 100;
const zShownCheckpoint = zCheckpoint.omit({ id: true, taskId: true });

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
    /** Null while it is not made. */
    checkpointNumber: z.int().nullable(),
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
        checkpointNumber: null,
        commitSha: null,
        operationId,
      };
    }
    const { commitSha } = resultOf(held, 'task.checkpoint');
    const { items } = await listCheckpoints(engine, caller, { id: taskId });
    const made = items.findLast((each) => each.commitSha === commitSha);
    const checkpointNumber = made?.checkpointNumber ?? null;
    return { stillPending: false, taskId, checkpointNumber, commitSha, operationId };
  },
});

export const checkpoints = defineTool({
  name: 'makima_checkpoints',
  title: 'List the checkpoints',
  description:
    'The checkpoints of a task, oldest first: number, commit, message, branch and how much had changed by then. Any of their commits can be given to makima_spawn as checkpointSha, or to makima_branch as fromRef.',
  input: z.strictObject({ taskId: zId.optional().describe('default: your own task') }),
  output: z.object({
    taskId: z.string(),
    checkpoints: z.array(zShownCheckpoint),
    cut: z.boolean(),
  }),
  agents: 'all',
  people: 'too',
  effect: 'reads',
  run: async ({ engine, caller, input }) => {
    const taskId = taskIdOf(caller, input.taskId);
    const { items } = await listCheckpoints(engine, caller, { id: taskId });
    const newest = items.slice(-checkpointsMost);
    return {
      taskId,
      checkpoints: newest.map((each) => zShownCheckpoint.parse(each)),
      cut: newest.length < items.length,
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
