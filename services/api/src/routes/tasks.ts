/** Handlers of tasks and of the supervisor's verbs: each calls one verb, some hold for what it began. */
import { cancelTask } from '@makima/engine/task/cancel';
import { contractTree, getTask, listContractTasks } from '@makima/engine/task/get';
import { messageTask } from '@makima/engine/task/message';
import { listConversation, listTaskOutput } from '@makima/engine/task/output';
import { retryTask } from '@makima/engine/task/retry';
import { spawnTask } from '@makima/engine/task/spawn';
import { whyTask } from '@makima/engine/task/why';
import { listCheckpoints, readOperation } from '@makima/engine/operation/read';
import { requestCheckpoint, requestDiff, requestMerge } from '@makima/engine/operation/request';
import { requestHoldMs } from '../holds/hold-caller.ts';
import { holdForOperation, resultOf } from '../holds/operation.ts';
import { holdForTasks } from '../holds/tasks.ts';
import { reads, writes, type Handlers } from '../mount.ts';
import { readTaskFile } from '../task-file.ts';

const checkpointHoldMs = 10_000;
const mergeHoldMs = 60_000;
const diffHoldMs = 30_000;

export const taskHandlers = {
  spawnTask: writes(spawnTask),
  listContractTasks: reads(listContractTasks),
  contractTree: reads(contractTree),
  getTask: reads(getTask),
  waitForTask: async ({ api, call, caller, signal, input }) => {
    const hold = { api, caller, signal, holdMs: heldFor(input.timeoutSeconds) };
    const { value } = await holdForTasks(hold, call, { taskIds: [input.id], mode: 'all' });
    const [task] = value.tasks;
    if (task === undefined) throw new Error(`wait ${value.waitId} has lost its task`);
    const { name: _, ...rest } = task;
    return { result: { ...rest, waitId: value.waitId } };
  },
  waitForTasks: async ({ api, call, caller, signal, input }) => {
    const hold = { api, caller, signal, holdMs: heldFor(input.timeoutSeconds) };
    const { value } = await holdForTasks(hold, call, input);
    return { result: { ...value, tasks: [...value.tasks] } };
  },
  readTaskFile: async ({ api, engine, caller, signal, input }) => ({
    result: await readTaskFile({ engine, bus: api.bus, pubsub: api.pubsub, caller, signal }, input),
  }),
  createCheckpoint: async ({ api, engine, call, caller, signal, input }) => {
    const { result, replayed } = await requestCheckpoint(engine, call, input);
    const hold = { api, caller, signal, holdMs: checkpointHoldMs };
    const held = await holdForOperation(hold, result.operationId);
    const pending = held.value.state === 'pending';
    const commitSha = pending ? null : resultOf(held, 'task.checkpoint').commitSha;
    const { operationId, checkpointNumber } = result;
    return {
      result: {
        taskId: input.id,
        checkpointNumber,
        commitSha,
        message: input.message,
        operationId,
      },
      status: pending ? 202 : 201,
      replayed,
    };
  },
  listCheckpoints: reads(listCheckpoints),
  mergeTask: async ({ api, engine, call, caller, signal, input }) => {
    const { result, replayed } = await requestMerge(engine, call, input);
    const { operationId } = result;
    const held = await holdForOperation({ api, caller, signal, holdMs: mergeHoldMs }, operationId);
    const { kind: _, ...merge } = resultOf(held, 'branch.merge');
    return { result: { operationId, taskId: input.id, ...merge }, replayed };
  },
  diffTask: async ({ api, engine, call, caller, signal, input }) => {
    const { result } = await requestDiff(engine, call, input);
    const held = await holdForOperation(
      { api, caller, signal, holdMs: diffHoldMs },
      result.operationId,
    );
    const { diff, files, stats } = resultOf(held, 'task.diff');
    return { result: { taskId: input.id, success: true, diff, error: null, files, stats } };
  },
  getOperation: reads(readOperation),
  messageTask: writes(messageTask),
  cancelTask: writes(cancelTask),
  retryTask: writes(retryTask),
  listTaskOutput: reads(listTaskOutput),
  listConversation: reads(listConversation),
  whyTask: reads(whyTask),
} satisfies Partial<Handlers>;

function heldFor(timeoutSeconds: number): number {
  return Math.min(timeoutSeconds * 1_000, requestHoldMs);
}
