/** Endpoints of contracts: seed 004's routes and the CRUD around them. */
import { z } from 'zod';
import { contractStatuses, type ContractStatus } from '@makima/domain/contract';
import { zId } from '../ids.ts';
import {
  zContract,
  zContractDetail,
  zContractInput,
  zContractPatch,
  zContractStatus,
  zDeliverable,
  zRepository,
  zRepositoryInput,
} from '../entity/contract.ts';
import { zWhy } from '../entity/why.ts';
import { zCursorQuery, zPage } from './page.ts';
import { defineEndpoint } from './endpoint.ts';

const byId = z.strictObject({ id: zId });
const tag = 'contracts';
const people = { person: 'write', tool: 'none', daemon: false } as const;
const readers = { person: 'read', tool: 'task', daemon: false } as const;

const oneStatus = `(${contractStatuses.join('|')})`;
const zStatuses = z
  .string()
  .max(200)
  .regex(new RegExp(`^${oneStatus}(,${oneStatus})*$`), {
    error: `must be statuses, separated by commas: ${contractStatuses.join(', ')}`,
  })
  .transform((text) => text.split(',') as ContractStatus[]);

export const createContract = defineEndpoint({
  id: 'createContract',
  method: 'POST',
  path: '/api/v1/contracts',
  tag,
  summary: 'Create a contract, and start its supervisor unless told otherwise',
  body: zContractInput,
  status: 201,
  response: zContractDetail,
  errors: ['MISSING_REPO_URL', 'CONFLICT'],
  policy: people,
  idempotent: true,
});

export const listContracts = defineEndpoint({
  id: 'listContracts',
  method: 'GET',
  path: '/api/v1/contracts',
  tag,
  summary: 'Contracts, those that need you first',
  description:
    'In the order of attention over all pages, within one attention the newest first. A contract whose attention changes while the pages are read may be met twice, or not.',
  query: zCursorQuery.extend({
    /** One status, or several separated by commas. */
    status: zStatuses.optional(),
    phase: z.string().max(100).optional(),
    waiting: z.stringbool().optional(),
    /** Only those that have made no progress for long, and should. */
    stale: z.stringbool().optional(),
    /** How long that is; as the installation says unless given. */
    staleMinutes: z.coerce.number().min(0).max(525_600).optional(),
  }),
  status: 200,
  response: zPage(zContract),
  errors: [],
  policy: { person: 'read', tool: 'none', daemon: false },
});

export const getContract = defineEndpoint({
  id: 'getContract',
  method: 'GET',
  path: '/api/v1/contracts/{id}',
  tag,
  summary: 'One contract with repositories, deliverables and kept work',
  params: byId,
  status: 200,
  response: zContractDetail,
  errors: ['CONTRACT_NOT_FOUND'],
  policy: readers,
});

export const patchContract = defineEndpoint({
  id: 'patchContract',
  method: 'PATCH',
  path: '/api/v1/contracts/{id}',
  tag,
  summary: 'Change name, goal or settings of a contract',
  params: byId,
  body: zContractPatch,
  status: 200,
  response: zContractDetail,
  errors: ['CONTRACT_NOT_FOUND', 'VERSION_CONFLICT'],
  policy: people,
});

export const deleteContract = defineEndpoint({
  id: 'deleteContract',
  method: 'DELETE',
  path: '/api/v1/contracts/{id}',
  tag,
  summary: 'Delete an ended contract; asks for confirm=true',
  params: byId,
  query: z.strictObject({ confirm: z.stringbool().optional() }),
  status: 200,
  response: z.object({ id: zId, deleted: z.literal(true) }),
  errors: ['CONTRACT_NOT_FOUND', 'CONFIRMATION_REQUIRED', 'INVALID_TRANSITION'],
  policy: { person: 'owner', tool: 'none', daemon: false },
});

export const listRepositories = defineEndpoint({
  id: 'listRepositories',
  method: 'GET',
  path: '/api/v1/contracts/{id}/repositories',
  tag,
  summary: 'Repositories of a contract',
  params: byId,
  status: 200,
  response: z.object({ items: z.array(zRepository) }),
  errors: ['CONTRACT_NOT_FOUND'],
  policy: readers,
});

export const addRepository = defineEndpoint({
  id: 'addRepository',
  method: 'POST',
  path: '/api/v1/contracts/{id}/repositories',
  tag,
  summary: 'Add a repository by URL or by path on the daemon’s machine',
  params: byId,
  body: zRepositoryInput,
  status: 201,
  response: zRepository,
  errors: ['CONTRACT_NOT_FOUND'],
  policy: people,
  idempotent: true,
});

export const removeRepository = defineEndpoint({
  id: 'removeRepository',
  method: 'DELETE',
  path: '/api/v1/contracts/{id}/repositories/{repositoryId}',
  tag,
  summary: 'Remove a repository that no task uses',
  params: z.strictObject({ id: zId, repositoryId: zId }),
  status: 200,
  response: z.object({ id: zId, deleted: z.literal(true) }),
  errors: ['CONTRACT_NOT_FOUND', 'NOT_FOUND', 'CONFLICT'],
  policy: people,
});

export const trustRepository = defineEndpoint({
  id: 'trustRepository',
  method: 'PATCH',
  path: '/api/v1/contracts/{id}/repositories/{repositoryId}',
  tag,
  summary: 'Vouch for a repository, or take that back',
  description:
    'What the settings of a trusted repository execute (hooks, tool servers of the agent’s kind) runs on the machines of this owner, from the next start of an agent on, as the user of the daemon. By default nothing of a repository is executed. Only an owner can say so; no agent can.',
  params: z.strictObject({ id: zId, repositoryId: zId }),
  body: z.strictObject({ trusted: z.boolean() }),
  status: 200,
  response: zRepository,
  errors: ['CONTRACT_NOT_FOUND', 'NOT_FOUND'],
  policy: { person: 'owner', tool: 'none', daemon: false },
});

export const startContract = defineEndpoint({
  id: 'startContract',
  method: 'POST',
  path: '/api/v1/contracts/{id}/start',
  tag,
  summary: 'Create the supervisor of a contract that has none',
  params: byId,
  status: 200,
  response: zContractDetail,
  errors: ['CONTRACT_NOT_FOUND', 'INVALID_TRANSITION', 'ALREADY_RUNNING', 'MISSING_REPO_URL'],
  policy: people,
});

export const changePhase = defineEndpoint({
  id: 'changePhase',
  method: 'POST',
  path: '/api/v1/contracts/{id}/phase',
  tag,
  summary: 'Move to the next phase, or open the request for a person’s confirmation',
  description:
    'Success, VERSION_CONFLICT (expected, actual, current phase), VALIDATION_FAILED (missing[]), PHASE_GUARD_REQUIRED (the request for confirmation is open), FORBIDDEN, CONTRACT_NOT_FOUND. Only a person’s key can confirm; `confirmed` from anybody else is refused.',
  params: byId,
  body: z.strictObject({
    phase: z.string().min(1).max(100),
    expectedVersion: z.int().optional(),
    confirmed: z.boolean().optional(),
    confirmationId: zId.optional(),
    force: z.boolean().optional(),
  }),
  status: 200,
  response: z.object({
    success: z.literal(true),
    contractId: zId,
    previousPhase: z.string(),
    phase: z.string(),
    version: z.int(),
  }),
  errors: [
    'CONTRACT_NOT_FOUND',
    'VERSION_CONFLICT',
    'PHASE_GUARD_REQUIRED',
    'CONFIRMATION_VOID',
    'FORBIDDEN',
    'INVALID_TRANSITION',
    'CONFLICT',
  ],
  policy: { person: 'write', tool: 'supervisor', daemon: false },
});

export const completeDeliverable = defineEndpoint({
  id: 'completeDeliverable',
  method: 'POST',
  path: '/api/v1/contracts/{id}/deliverables/{deliverableId}/complete',
  tag,
  summary: 'Mark a deliverable of the phase as done, with evidence',
  params: z.strictObject({ id: zId, deliverableId: z.string().min(1).max(100) }),
  body: z.strictObject({
    phase: z.string().max(100).optional(),
    evidence: z
      .array(
        z.discriminatedUnion('kind', [
          z.strictObject({ kind: z.literal('file'), path: z.string().min(1).max(1_000) }),
          z.strictObject({
            kind: z.literal('command'),
            command: z.array(z.string().min(1).max(2_000)).min(1).max(50),
            timeoutSeconds: z.int().min(1).max(900).default(120),
          }),
          z.strictObject({ kind: z.literal('merged'), taskId: zId }),
          z.strictObject({ kind: z.literal('word'), text: z.string().min(1).max(10_000) }),
        ]),
      )
      .max(20)
      .default([]),
  }),
  status: 200,
  response: z.object({ deliverable: zDeliverable, ready: z.boolean(), version: z.int() }),
  errors: [
    'CONTRACT_NOT_FOUND',
    'INVALID_DELIVERABLE',
    'INVALID_TRANSITION',
    'OPERATION_TIMED_OUT',
    'NO_DAEMON',
    'CONFLICT',
  ],
  policy: { person: 'write', tool: 'supervisor', daemon: false },
  idempotent: true,
});

export const changeStatus = defineEndpoint({
  id: 'changeStatus',
  method: 'POST',
  path: '/api/v1/contracts/{id}/status',
  tag,
  summary: 'Change a contract’s status: pause, resume, block, fail, archive, cancel',
  description:
    'A pause stops the contract’s agents at once; with `finishTurnSeconds` each may end its turn first, within that time, and starts nothing new meanwhile. Paused once more without it, they are stopped now. To resume brings each back in its conversation.',
  params: byId,
  body: z
    .strictObject({
      targetStatus: zContractStatus,
      reason: z.string().max(10_000).optional(),
      blocker: z.string().max(10_000).optional(),
      finishTurnSeconds: z.int().min(1).max(86_400).optional(),
    })
    .refine((b) => b.finishTurnSeconds === undefined || b.targetStatus === 'paused', {
      error: 'is of a pause only',
      path: ['finishTurnSeconds'],
    }),
  status: 200,
  response: z.object({
    success: z.boolean(),
    previousStatus: zContractStatus,
    newStatus: zContractStatus,
    rejectionReason: z.string().nullable(),
  }),
  errors: ['CONTRACT_NOT_FOUND', 'INVALID_TRANSITION'],
  policy: people,
});

export const phaseReadiness = defineEndpoint({
  id: 'phaseReadiness',
  method: 'GET',
  path: '/api/v1/contracts/{id}/phase-readiness',
  tag,
  summary: 'Whether the phase may be left, and what is missing',
  params: byId,
  status: 200,
  response: z.object({
    phase: z.string(),
    ready: z.boolean(),
    /** The phase asks for nothing: it is left by hand. */
    no_gate: z.boolean(),
    missing: z.array(z.object({ kind: z.string(), id: z.string(), reason: z.string() })),
    auto_advance_enabled: z.boolean(),
  }),
  errors: ['CONTRACT_NOT_FOUND'],
  policy: readers,
});

export const checkCompletion = defineEndpoint({
  id: 'checkCompletion',
  method: 'POST',
  path: '/api/v1/contracts/{id}/check-completion',
  tag,
  summary: 'Whether the contract would complete now',
  params: byId,
  status: 200,
  response: z.object({
    ready: z.boolean(),
    would_complete: z.boolean(),
    missing: z.array(z.string()),
  }),
  errors: ['CONTRACT_NOT_FOUND'],
  policy: { person: 'read', tool: 'supervisor', daemon: false },
});

export const completeContract = defineEndpoint({
  id: 'completeContract',
  method: 'POST',
  path: '/api/v1/contracts/{id}/complete',
  tag,
  summary: 'Say that the contract is complete: it begins to complete, or a person is asked',
  description:
    'Success (also when it completes already), VALIDATION_FAILED (missing[]), PHASE_GUARD_REQUIRED (the request for a person’s confirmation is open).',
  params: byId,
  status: 200,
  response: z.object({
    success: z.literal(true),
    contractId: zId,
    status: zContractStatus,
    phase: z.string(),
    version: z.int(),
  }),
  errors: [
    'CONTRACT_NOT_FOUND',
    'NOT_SUPERVISOR',
    'INVALID_TRANSITION',
    'PHASE_GUARD_REQUIRED',
    'CONFLICT',
    'FENCED',
  ],
  policy: { person: 'write', tool: 'supervisor', daemon: false },
});

export const setAutoComplete = defineEndpoint({
  id: 'setAutoComplete',
  method: 'PUT',
  path: '/api/v1/contracts/{id}/auto-complete',
  tag,
  summary: 'Complete by itself after the grace period, or ask',
  params: byId,
  body: z.strictObject({ enabled: z.boolean() }),
  status: 200,
  response: zContractDetail,
  errors: ['CONTRACT_NOT_FOUND'],
  policy: people,
});

export const whyContract = defineEndpoint({
  id: 'whyContract',
  method: 'GET',
  path: '/api/v1/contracts/{id}/why',
  tag,
  summary: 'Why it is not moving: the unmet conditions, since when, who can act, and the act',
  params: byId,
  status: 200,
  response: zWhy,
  errors: ['CONTRACT_NOT_FOUND'],
  policy: readers,
});
