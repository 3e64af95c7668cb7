/** Handlers of tasks: each calls one verb, some hold for what it began. */
import { readReceipt } from '@makima/engine/message/receipt';
import { cancelTask } from '@makima/engine/task/cancel';
import { contractTree, getTask, listContractTasks } from '@makima/engine/task/get';
import { messageTask } from '@makima/engine/task/message';
import { listConversation, listTaskOutput } from '@makima/engine/task/output';
import { retryTask } from '@makima/engine/task/retry';
import { spawnTask } from '@makima/engine/task/spawn';
import { whyTask } from '@makima/engine/task/why';
import { requestHoldMs } from '../holds/hold-caller.ts';
import { holdForTasks } from '../holds/tasks.ts';
import { reads, writes, type Handlers } from '../mount.ts';

export const taskHandlers = {
  spawnTask: writes(spawnTask),
  listContractTasks: reads(listContractTasks),
  contractTree: reads(contractTree),
  getTask: reads(getTask),
  waitForTask: async ({ api, call, caller, signal, input }) => {
    const hold = { api, caller, signal, holdMs: heldFor(input.timeoutSeconds) };
    const { value } = await holdForTasks(hold, call, {
      taskIds: [input.id],
      mode: 'all',
      expiresInSeconds: input.expiresInSeconds,
      waitId: input.waitId,
    });
    const [task] = value.tasks;
    if (task === undefined) throw new Error(`wait ${value.waitId} has lost its task`);
    const { name: _, ...rest } = task;
    const { waitId, timedOut } = value;
    return { result: { ...rest, waitId, timedOut } };
  },
  waitForTasks: async ({ api, call, caller, signal, input }) => {
    const hold = { api, caller, signal, holdMs: heldFor(input.timeoutSeconds) };
    const { value } = await holdForTasks(hold, call, input);
    return { result: { ...value, tasks: [...value.tasks] } };
  },
  messageTask: writes(messageTask),
  getMessage: reads(readReceipt),
  cancelTask: writes(cancelTask),
  retryTask: writes(retryTask),
  listTaskOutput: reads(listTaskOutput),
  listConversation: reads(listConversation),
  whyTask: reads(whyTask),
} satisfies Partial<Handlers>;

function heldFor(timeoutSeconds: number): number {
  return Math.min(timeoutSeconds * 1_000, requestHoldMs);
}
