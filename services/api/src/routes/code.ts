/** Handlers of code: files, checkpoints, branches, merges, diffs. Each calls one verb and holds for the machine. */
import { requestBranch } from '@makima/engine/operation/branch';
import { requestMerge } from '@makima/engine/operation/merge';
import { requestPullRequest } from '@makima/engine/operation/pull-request';
import { listCheckpoints, readOperation } from '@makima/engine/operation/read';
import { requestCheckpoint, requestDiff } from '@makima/engine/operation/request';
import { branchOf, pullRequestOf } from '../branch-answer.ts';
import { holdForOperation, resultOf } from '../holds/operation.ts';
import { operationOf } from '../holds/ordered.ts';
import { reads, type Handlers } from '../mount.ts';
import { readTaskFile } from '../task-file.ts';

export const codeHandlers = {
  readTaskFile: async ({ api, engine, caller, signal, input }) => ({
    result: await readTaskFile({ engine, bus: api.bus, pubsub: api.pubsub, caller, signal }, input),
  }),
  createCheckpoint: async ({ api, engine, call, caller, signal, input }) => {
    const { result, replayed } = await requestCheckpoint(engine, call, input);
    const hold = { api, caller, signal, holdMs: api.machineHolds.checkpointMs };
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
    const operationId = operationOf(result);
    const held = await holdForOperation(
      { api, caller, signal, holdMs: api.machineHolds.mergeMs },
      operationId,
    );
    const { kind: _, ...merge } = resultOf(held, 'branch.merge');
    return { result: { operationId, taskId: input.id, ...merge }, replayed };
  },
  diffTask: async ({ api, engine, call, caller, signal, input }) => {
    const { result } = await requestDiff(engine, call, input);
    const held = await holdForOperation(
      { api, caller, signal, holdMs: api.machineHolds.diffMs },
      result.operationId,
    );
    const { kind: _, ...diff } = resultOf(held, 'task.diff');
    const { operationId } = result;
    return { result: { operationId, taskId: input.id, success: true, error: null, ...diff } };
  },
  getOperation: reads(readOperation),
  createPullRequest: async ({ api, engine, call, caller, signal, input }) => {
    const { result, replayed } = await requestPullRequest(engine, call, input);
    const hold = { api, caller, signal, holdMs: api.machineHolds.pullRequestMs };
    const answer = pullRequestOf(await holdForOperation(hold, operationOf(result)));
    return { result: answer, status: answer.created ? 201 : 200, replayed };
  },
  createBranch: async ({ api, engine, call, caller, signal, input }) => {
    const { result, replayed } = await requestBranch(engine, call, input);
    const hold = { api, caller, signal, holdMs: api.machineHolds.branchMs };
    const held = await holdForOperation(hold, result.operationId);
    return { result: branchOf(held), replayed };
  },
} satisfies Partial<Handlers>;
