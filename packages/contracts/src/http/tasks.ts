/** Endpoints of tasks and of the supervisor's tools (seed 002). */
import { z } from 'zod';
import { zId } from '../ids.ts';
import {
  zCheckpoint,
  zConversationMessage,
  zDiffResult,
  zMergeResult,
  zMessageReceipt,
  zOperation,
  zOutputEntry,
  zSpawnInput,
  zTask,
  zTaskDetail,
  zTaskNode,
  zWaitExpires,
  zWaitManyInput,
  zWaitManyResult,
  zWaitResult,
} from '../entity/task.ts';
import { zWhy } from '../entity/why.ts';
import { wireLimits } from '../limits.ts';
import { zCursorQuery, zPage } from './page.ts';
import { defineEndpoint } from './endpoint.ts';

const byId = z.strictObject({ id: zId });
const tag = 'tasks';
const supervisorOrPerson = { person: 'write', tool: 'supervisor', daemon: false } as const;
const readers = { person: 'read', tool: 'task', daemon: false } as const;

export const spawnTask = defineEndpoint({
  id: 'spawnTask',
  method: 'POST',
  path: '/api/v1/mesh/supervisor/tasks',
  tag,
  summary: 'Spawn a task: pending at once, started when a daemon has room',
  body: zSpawnInput,
  status: 201,
  response: zTask,
  errors: [
    'CONTRACT_NOT_FOUND',
    'NOT_SUPERVISOR',
    'MISSING_REPO_URL',
    'INVALID_TRANSITION',
    'LIMIT_EXCEEDED',
    'NOT_FOUND',
    'FENCED',
  ],
  policy: supervisorOrPerson,
  idempotent: true,
});

export const listContractTasks = defineEndpoint({
  id: 'listContractTasks',
  method: 'GET',
  path: '/api/v1/mesh/supervisor/contracts/{id}/tasks',
  tag,
  summary: 'All tasks of a contract, oldest first',
  params: byId,
  status: 200,
  response: z.object({ items: z.array(zTask) }),
  errors: ['CONTRACT_NOT_FOUND'],
  policy: readers,
});

export const contractTree = defineEndpoint({
  id: 'contractTree',
  method: 'GET',
  path: '/api/v1/mesh/supervisor/contracts/{id}/tree',
  tag,
  summary: 'Tasks of a contract as a tree with depth',
  params: byId,
  status: 200,
  response: z.object({
    contractId: zId,
    supervisorTaskId: zId.nullable(),
    totalCount: z.int(),
    /** The supervisor first; each task below the one that it was spawned for. */
    roots: z.array(zTaskNode),
  }),
  errors: ['CONTRACT_NOT_FOUND'],
  policy: readers,
});

export const getTask = defineEndpoint({
  id: 'getTask',
  method: 'GET',
  path: '/api/v1/mesh/tasks/{id}',
  tag,
  summary: 'One task with its attempts',
  params: byId,
  status: 200,
  response: zTaskDetail,
  errors: ['NOT_FOUND'],
  policy: readers,
});

export const waitForTask = defineEndpoint({
  id: 'waitForTask',
  method: 'POST',
  path: '/api/v1/mesh/supervisor/tasks/{id}/wait',
  tag,
  summary: 'Wait for a task: answers at its end, at once if ended, with the status on timeout',
  params: byId,
  body: z.strictObject({
    timeoutSeconds: z.int().min(0).max(300).default(300),
    expiresInSeconds: zWaitExpires.optional(),
    waitId: zId.optional(),
  }),
  status: 200,
  response: zWaitResult,
  errors: ['NOT_FOUND'],
  policy: supervisorOrPerson,
});

export const waitForTasks = defineEndpoint({
  id: 'waitForTasks',
  method: 'POST',
  path: '/api/v1/mesh/supervisor/waits',
  tag,
  summary: 'Wait for any or all of several tasks; the wait is a row that outlives the request',
  body: zWaitManyInput,
  status: 200,
  response: zWaitManyResult,
  errors: ['NOT_FOUND'],
  policy: supervisorOrPerson,
  idempotent: true,
});

export const readTaskFile = defineEndpoint({
  id: 'readTaskFile',
  method: 'POST',
  path: '/api/v1/mesh/supervisor/tasks/{id}/read-file',
  tag,
  summary: 'Read a file in a task’s directory',
  params: byId,
  body: z.strictObject({ filePath: z.string().min(1).max(4_000) }),
  status: 200,
  response: z.object({
    taskId: zId,
    filePath: z.string(),
    content: z.string(),
    exists: z.boolean(),
  }),
  errors: ['NOT_FOUND', 'INVALID_TRANSITION', 'NO_DAEMON', 'DAEMON_ERROR'],
  policy: supervisorOrPerson,
});

export const createCheckpoint = defineEndpoint({
  id: 'createCheckpoint',
  method: 'POST',
  path: '/api/v1/mesh/tasks/{id}/checkpoint',
  tag,
  summary: 'Commit everything in a task’s directory on a checkpoint ref',
  description:
    '201 with the commit when the daemon has made it within 10 s, else 202 with a handle.',
  params: byId,
  body: z.strictObject({ message: z.string().trim().min(1).max(2_000) }),
  status: 201,
  response: z.object({
    taskId: zId,
    checkpointNumber: z.int(),
    commitSha: z.string().nullable(),
    message: z.string(),
    operationId: zId,
  }),
  errors: ['NOT_FOUND', 'INVALID_TRANSITION', 'NO_DAEMON', 'COMMAND_FAILED'],
  policy: { person: 'write', tool: 'task', daemon: false },
  idempotent: true,
});

export const listCheckpoints = defineEndpoint({
  id: 'listCheckpoints',
  method: 'GET',
  path: '/api/v1/mesh/tasks/{id}/checkpoints',
  tag,
  summary: 'Checkpoints of a task',
  params: byId,
  status: 200,
  response: z.object({ items: z.array(zCheckpoint) }),
  errors: ['NOT_FOUND'],
  policy: readers,
});

export const mergeTask = defineEndpoint({
  id: 'mergeTask',
  method: 'POST',
  path: '/api/v1/mesh/supervisor/tasks/{id}/merge',
  tag,
  summary: 'Merge a finished task’s branch into the contract’s branch',
  params: byId,
  body: z.strictObject({
    targetBranch: z.string().min(1).max(200).optional(),
    squash: z.boolean().default(false),
  }),
  status: 200,
  response: zMergeResult,
  errors: [
    'NOT_FOUND',
    'INVALID_TRANSITION',
    'OPERATION_TIMED_OUT',
    'COMMAND_FAILED',
    'NO_DAEMON',
    'FORBIDDEN',
  ],
  policy: supervisorOrPerson,
  idempotent: true,
});

export const diffTask = defineEndpoint({
  id: 'diffTask',
  method: 'GET',
  path: '/api/v1/mesh/supervisor/tasks/{id}/diff',
  tag,
  summary: 'What a task changed, unified and structured',
  params: byId,
  status: 200,
  response: zDiffResult,
  errors: ['NOT_FOUND', 'INVALID_TRANSITION', 'NO_DAEMON', 'OPERATION_TIMED_OUT', 'COMMAND_FAILED'],
  policy: supervisorOrPerson,
});

export const getOperation = defineEndpoint({
  id: 'getOperation',
  method: 'GET',
  path: '/api/v1/mesh/operations/{id}',
  tag,
  summary: 'A long git operation and its result, which may have come late',
  params: byId,
  status: 200,
  response: zOperation,
  errors: ['NOT_FOUND'],
  policy: readers,
});

export const messageTask = defineEndpoint({
  id: 'messageTask',
  method: 'POST',
  path: '/api/v1/mesh/tasks/{id}/message',
  tag,
  summary: 'Send an agent a message: queued, steering its turn, or interrupting it',
  params: byId,
  body: z.strictObject({
    message: z.string().min(1).max(wireLimits.messageChars),
    mode: z.enum(['queue', 'steer', 'interrupt']).default('queue'),
  }),
  status: 202,
  response: zMessageReceipt,
  errors: ['NOT_FOUND', 'INVALID_TRANSITION', 'LIMIT_EXCEEDED'],
  policy: supervisorOrPerson,
  idempotent: true,
});

export const getMessage = defineEndpoint({
  id: 'getMessage',
  method: 'GET',
  path: '/api/v1/mesh/messages/{id}',
  tag,
  summary: 'What became of a message: pending, queued, delivered or refused',
  params: byId,
  status: 200,
  response: zMessageReceipt,
  errors: ['NOT_FOUND'],
  policy: { person: 'read', tool: 'supervisor', daemon: false },
});

export const cancelTask = defineEndpoint({
  id: 'cancelTask',
  method: 'POST',
  path: '/api/v1/mesh/tasks/{id}/cancel',
  tag,
  summary: 'Cancel a task; its work is kept on a ref',
  params: byId,
  body: z.strictObject({ reason: z.string().max(2_000).optional() }),
  status: 200,
  response: zTask,
  errors: ['NOT_FOUND', 'INVALID_TRANSITION'],
  policy: supervisorOrPerson,
});

export const retryTask = defineEndpoint({
  id: 'retryTask',
  method: 'POST',
  path: '/api/v1/mesh/tasks/{id}/retry',
  tag,
  summary: 'Give an interrupted task its next attempt',
  params: byId,
  status: 200,
  response: zTask,
  errors: ['NOT_FOUND', 'INVALID_TRANSITION'],
  policy: supervisorOrPerson,
});

export const listTaskOutput = defineEndpoint({
  id: 'listTaskOutput',
  method: 'GET',
  path: '/api/v1/mesh/tasks/{id}/output',
  tag,
  summary: 'Output of a task, oldest first',
  params: byId,
  query: zCursorQuery,
  status: 200,
  response: zPage(zOutputEntry),
  errors: ['NOT_FOUND'],
  policy: readers,
});

export const listConversation = defineEndpoint({
  id: 'listConversation',
  method: 'GET',
  path: '/api/v1/mesh/tasks/{id}/conversation',
  tag,
  summary: 'Conversation of a task, oldest first',
  params: byId,
  query: zCursorQuery,
  status: 200,
  response: zPage(zConversationMessage),
  errors: ['NOT_FOUND'],
  policy: readers,
});

export const whyTask = defineEndpoint({
  id: 'whyTask',
  method: 'GET',
  path: '/api/v1/mesh/tasks/{id}/why',
  tag,
  summary: 'Why a task is not moving',
  params: byId,
  status: 200,
  response: zWhy,
  errors: ['NOT_FOUND'],
  policy: readers,
});
