/** Tools about tasks: spawn, list, tree, result, message, cancel. */
import { z } from 'zod';
import { zId } from '@makima/contracts/ids';
import { MakimaError } from '@makima/domain/error';
import { wireLimits } from '@makima/contracts/limits';
import { zSpawnInput, zTaskStatus, type Task, type TaskNode } from '@makima/contracts/entity/task';
import { cancelTask } from '@makima/engine/task/cancel';
import { contractTree, getTask, listContractTasks } from '@makima/engine/task/get';
import { messageTask } from '@makima/engine/task/message';
import { retryTask } from '@makima/engine/task/retry';
import { spawnTask } from '@makima/engine/task/spawn';
import { holdForReceipt } from '../holds/receipt.ts';
import { contractIdOf, defineTool, shown } from './tool.ts';

const zBrief = z.object({
  taskId: z.string(),
  name: z.string(),
  status: zTaskStatus,
  attempt: z.int(),
  isSupervisor: z.boolean().optional(),
  summary: z.string().optional(),
  error: z.string().optional(),
});

function brief(task: Task): z.output<typeof zBrief> {
  return {
    taskId: task.id,
    name: task.name,
    status: task.status,
    attempt: task.attempt,
    ...(task.isSupervisor ? { isSupervisor: true } : {}),
    ...(task.outputSummary === null
      ? {}
      : { summary: task.outputSummary.slice(0, 500).toWellFormed() }),
    ...(task.errorMessage === null
      ? {}
      : { error: task.errorMessage.slice(0, 500).toWellFormed() }),
  };
}

export const spawn = defineTool({
  name: 'makima_spawn',
  title: 'Spawn a task',
  description:
    'Start another agent on a piece of work, in a directory and branch of its own. Give it a plan that stands alone: it does not see this conversation. Independent pieces: spawn several, then makima_wait once for all. `needs` names tasks that must be done first.',
  input: zSpawnInput.extend({ contractId: zId.optional() }),
  output: z.object({ taskId: z.string(), name: z.string(), status: zTaskStatus, note: z.string() }),
  agents: 'supervisor',
  people: 'too',
  effect: 'writes',
  run: async ({ engine, call, caller, input }) => {
    const contractId = contractIdOf(caller, input.contractId);
    const { result } = await spawnTask(engine, call, { ...input, contractId });
    return {
      taskId: result.id,
      name: result.name,
      status: result.status,
      note: 'It starts when a machine has room. Wait for it with makima_wait.',
    };
  },
});

export const list = defineTool({
  name: 'makima_list',
  title: 'List the tasks',
  description:
    'All tasks of your contract with their status and the beginning of their summaries, oldest first. Use it after a restoration to see what you have already spawned; do not spawn those again.',
  input: z.strictObject({ contractId: zId.optional() }),
  output: z.object({ tasks: z.array(zBrief) }),
  agents: 'supervisor',
  people: 'too',
  effect: 'reads',
  run: async ({ engine, caller, input }) => {
    const { items } = await listContractTasks(engine, caller, {
      id: contractIdOf(caller, input.contractId),
    });
    return { tasks: items.map(brief) };
  },
});

export const tree = defineTool({
  name: 'makima_tree',
  title: 'Show the tree of tasks',
  description: 'Who spawned whom: the tasks of your contract as lines, indented by depth.',
  input: z.strictObject({ contractId: zId.optional() }),
  output: z.object({ tree: z.string() }),
  agents: 'supervisor',
  people: 'too',
  effect: 'reads',
  run: async ({ engine, caller, input }) => {
    const { roots } = await contractTree(engine, caller, {
      id: contractIdOf(caller, input.contractId),
    });
    return { tree: shown(lines(roots, 0).join('\n')).text };
  },
});

function lines(nodes: readonly TaskNode[], depth: number): string[] {
  return nodes.flatMap((node) => [
    `${'  '.repeat(depth)}${node.name} [${node.status}] ${node.id}`,
    ...lines(node.children, depth + 1),
  ]);
}

export const result = defineTool({
  name: 'makima_result',
  title: 'Read the result of a task',
  description:
    'What a task made: its whole summary, error, branch and commit. To see the change itself use makima_diff; to take it over use makima_merge.',
  input: z.strictObject({ taskId: zId }),
  output: zBrief.extend({
    branch: z.string().nullable(),
    commitSha: z.string().nullable(),
    attempts: z.array(
      z.object({ attempt: z.int(), state: z.string(), reason: z.string().nullable() }),
    ),
    note: z.string().optional(),
  }),
  agents: 'supervisor',
  people: 'too',
  effect: 'reads',
  run: async ({ engine, caller, input }) => {
    const task = await getTask(engine, caller, { id: input.taskId });
    const summary = task.outputSummary === null ? undefined : shown(task.outputSummary);
    return {
      ...brief(task),
      ...(summary === undefined ? {} : { summary: summary.text }),
      branch: task.branch,
      commitSha: task.commitSha,
      attempts: task.attempts.map(({ attempt, state, reason }) => ({ attempt, state, reason })),
      ...(task.status === 'done' ? { note: 'Not merged yet: makima_merge takes it over.' } : {}),
    };
  },
});

export const message = defineTool({
  name: 'makima_message',
  title: 'Send a task a message',
  description:
    'Tell the agent of a task something. `queue` is read after its present turn, `steer` within it, `interrupt` stops what it does and is read at once. The answer is the receipt: `pending`, `queued`, `delivered` or `refused`. With `messageId` instead of `text`: the receipt of an earlier one.',
  input: z.strictObject({
    taskId: zId,
    text: z.string().min(1).max(wireLimits.messageChars).optional(),
    mode: z.enum(['queue', 'steer', 'interrupt']).default('queue'),
    messageId: zId.optional().describe('of an earlier call'),
    timeoutSeconds: z
      .int()
      .min(0)
      .max(240)
      .optional()
      .describe('how long to wait until it is read (default: 5, for `queue` 0)'),
  }),
  output: z.object({
    messageId: z.string(),
    taskId: z.string(),
    state: z.string(),
    attempt: z.int().nullable(),
    note: z.string().optional(),
  }),
  agents: 'supervisor',
  people: 'too',
  effect: 'writes',
  run: async ({ engine, call, input, hold }) => {
    const { taskId, mode } = input;
    const messageId =
      input.messageId ??
      (await messageTask(engine, call, { id: taskId, message: textOf(input.text), mode })).result
        .messageId;
    const patience = input.timeoutSeconds ?? (mode === 'queue' ? 0 : receiptSeconds);
    const { value } = await holdForReceipt(hold(patience), messageId);
    const { state, attempt } = value;
    const receipt = { messageId, taskId: value.taskId, state, attempt };
    if (state === 'delivered' || state === 'refused') return receipt;
    const note = 'It reads it when the mode allows. To see the receipt: call with this messageId.';
    return { ...receipt, note };
  },
});

/** An agent that works reads a word within its turn in about this time. */
const receiptSeconds = 5;

function textOf(text: string | undefined): string {
  if (text !== undefined) return text;
  throw new MakimaError('VALIDATION_FAILED', 'there is nothing to tell', {
    details: { errors: [{ pointer: '/text', detail: 'is missing, and so is messageId' }] },
    fix: 'give text, or the messageId of an earlier call',
  });
}

export const retry = defineTool({
  name: 'makima_retry',
  title: 'Give a task another attempt',
  description:
    'Let a task that was interrupted or paused go on: its next attempt continues conversation and directory. Makima retries by itself after a crash; use this when it stopped trying or a person paused it. One that failed or was cancelled is over: spawn a task that continues from it.',
  input: z.strictObject({ taskId: zId }),
  output: z.object({ taskId: z.string(), name: z.string(), status: zTaskStatus, attempt: z.int() }),
  agents: 'supervisor',
  people: 'too',
  effect: 'writes',
  run: async ({ engine, call, input }) => {
    const { result: task } = await retryTask(engine, call, { id: input.taskId });
    return { taskId: task.id, name: task.name, status: task.status, attempt: task.attempt };
  },
});

export const cancel = defineTool({
  name: 'makima_cancel',
  title: 'Cancel a task',
  description: 'Stop a task for good. What it made so far is kept on a ref in the repository.',
  input: z.strictObject({ taskId: zId, reason: z.string().max(2_000).optional() }),
  output: z.object({ taskId: z.string(), name: z.string(), status: zTaskStatus }),
  agents: 'supervisor',
  people: 'too',
  effect: 'destroys',
  run: async ({ engine, call, input }) => {
    const { result: task } = await cancelTask(engine, call, {
      id: input.taskId,
      reason: input.reason,
    });
    return { taskId: task.id, name: task.name, status: task.status };
  },
});
