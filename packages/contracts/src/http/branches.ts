/** Endpoints of the branches beside a contract's own (seed 002). */
import { z } from 'zod';
import { zBranchResult } from '../entity/task.ts';
import { zId } from '../ids.ts';
import { defineEndpoint } from './endpoint.ts';

export const createBranch = defineEndpoint({
  id: 'createBranch',
  method: 'POST',
  path: '/api/v1/mesh/supervisor/branches',
  tag: 'tasks',
  summary: 'Make a branch beside the contract’s own',
  description:
    'Answered when the machine has made it. It begins at `fromRef` (a branch, a tag or a commit), else where the supervisor’s own work stands.',
  body: z.strictObject({
    /** Short (`try-two`) or whole (`makima/<contract>.try-two`). */
    branchName: z.string().min(1).max(200),
    fromRef: z.string().min(1).max(200).optional(),
    /** The contract; an agent’s own when not given. */
    contractId: zId.optional(),
  }),
  status: 201,
  response: zBranchResult,
  errors: [
    'CONTRACT_NOT_FOUND',
    'NOT_SUPERVISOR',
    'NO_CONTEXT',
    'INVALID_TRANSITION',
    'CONFLICT',
    'NO_DAEMON',
    'OPERATION_TIMED_OUT',
    'COMMAND_FAILED',
    'FENCED',
  ],
  policy: { person: 'write', tool: 'supervisor', daemon: false },
  idempotent: true,
});
