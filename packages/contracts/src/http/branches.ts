/** Endpoints of the branches beside a contract's own (seed 002). */
import { z } from 'zod';
import { zBranchResult, zPullRequest } from '../entity/task.ts';
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

export const createPullRequest = defineEndpoint({
  id: 'createPullRequest',
  method: 'POST',
  path: '/api/v1/mesh/supervisor/pr',
  tag: 'tasks',
  summary: 'Push a branch of the contract and open a pull request for it',
  description:
    'One per branch: asked again, newer commits are pushed and the same one is answered with 200. An agent needs `allowPullRequests` or a person’s permission, which is asked for with 428. Into the supervisor’s base branch, else the repository’s default.',
  body: z.strictObject({
    /** The contract’s own branch, or one beside it by its short or whole name. */
    branch: z.string().min(1).max(200),
    title: z.string().trim().min(1).max(256),
    body: z.string().max(60_000).optional(),
    /** The contract; an agent’s own when not given. */
    contractId: zId.optional(),
  }),
  status: 201,
  response: zPullRequest,
  errors: [
    'CONTRACT_NOT_FOUND',
    'NOT_SUPERVISOR',
    'NO_CONTEXT',
    'INVALID_TRANSITION',
    'FORBIDDEN',
    'CONFIRMATION_REQUIRED',
    'MISSING_REPO_URL',
    'CONFLICT',
    'NO_DAEMON',
    'OPERATION_TIMED_OUT',
    'COMMAND_FAILED',
    'FENCED',
  ],
  policy: { person: 'write', tool: 'supervisor', daemon: false },
  idempotent: true,
});
