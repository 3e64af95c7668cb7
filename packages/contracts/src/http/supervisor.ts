/** Endpoints of a contract's supervisor for people (seeds 002 and 004): how it is, and bringing it back. */
import { z } from 'zod';
import { resumeModes } from '@makima/domain/resume';
import { zRestorationInfo } from '../entity/supervisor.ts';
import { zId } from '../ids.ts';
import { defineEndpoint } from './endpoint.ts';

const byId = z.strictObject({ id: zId });
const tag = 'contracts';
const readers = { person: 'read', tool: 'task', daemon: false } as const;

export const supervisorStatus = defineEndpoint({
  id: 'supervisorStatus',
  method: 'GET',
  path: '/api/v1/contracts/{id}/supervisor/status',
  tag,
  summary: 'State of the contract’s supervisor',
  description:
    'SUPERVISOR_DEAD with the same facts in `details` when it should work and was silent for longer than `heartbeat_timeout_seconds`.',
  params: byId,
  status: 200,
  response: z.object({
    task_id: zId,
    state: z.string(),
    phase: z.string(),
    current_activity: z.string().nullable(),
    progress: z.int(),
    last_heartbeat: z.string().nullable(),
    pending_task_ids: z.array(zId),
    epoch: z.int(),
    session: z.string(),
    restoration_count: z.int(),
    last_restored_at: z.string().nullable(),
    restoration_source: z.string().nullable(),
    pending_question_ids: z.array(zId),
    error_message: z.string().nullable(),
    /** Every task that it spawned, in the order of their birth. */
    spawned_task_ids: z.array(zId),
    /** What its conversation and its directory can be brought back from. */
    message_count: z.int(),
    last_checkpoint_id: zId.nullable(),
  }),
  errors: ['CONTRACT_NOT_FOUND', 'SUPERVISOR_NOT_FOUND', 'SUPERVISOR_DEAD'],
  policy: readers,
});

export const supervisorHeartbeats = defineEndpoint({
  id: 'supervisorHeartbeats',
  method: 'GET',
  path: '/api/v1/contracts/{id}/supervisor/heartbeats',
  tag,
  summary: 'What its supervisor did over the last 24 hours, newest first',
  description:
    'One entry every `heartbeat_interval_seconds` while its agent lives; its daemon sends it. A parked supervisor has none.',
  params: byId,
  query: z.strictObject({ limit: z.coerce.number().int().min(1).max(1_000).default(100) }),
  status: 200,
  response: z.object({
    heartbeats: z.array(
      z.object({
        timestamp: z.string(),
        state: z.string(),
        phase: z.string(),
        activity: z.string().nullable(),
        progress: z.int(),
        pending_task_ids: z.array(zId),
        epoch: z.int(),
      }),
    ),
  }),
  errors: ['CONTRACT_NOT_FOUND', 'SUPERVISOR_NOT_FOUND'],
  policy: readers,
});

export const syncSupervisor = defineEndpoint({
  id: 'syncSupervisor',
  method: 'POST',
  path: '/api/v1/contracts/{id}/supervisor/sync',
  tag,
  summary: 'Make the state of its supervisor what the rows say, and save a snapshot of it',
  description:
    'Refused with SUPERVISOR_DEAD while nothing is heard of a supervisor that should work.',
  params: byId,
  status: 200,
  response: z.object({
    synced: z.boolean(),
    state: z.string(),
    /** What it was before, when that was wrong. */
    corrected_from: z.string().nullable(),
  }),
  errors: ['CONTRACT_NOT_FOUND', 'SUPERVISOR_NOT_FOUND', 'SUPERVISOR_DEAD'],
  policy: { person: 'write', tool: 'supervisor', daemon: false },
});

export const resumeSupervisor = defineEndpoint({
  id: 'resumeSupervisor',
  method: 'POST',
  path: '/api/v1/contracts/{id}/supervisor/resume',
  tag,
  summary: 'Bring the supervisor back: where it was, at the start of its phase, or at a checkpoint',
  description:
    'Also after it was restored too often, and when its contract is paused or blocked: then the contract goes on with it. Refused with ALREADY_RUNNING only while an agent really runs. Without a connected daemon it is answered with `pending` and a warning, and starts when one comes.',
  params: byId,
  body: z.strictObject({
    /** It starts there and nowhere else; without it, where it was before if that is possible. */
    targetDaemonId: zId.optional(),
    /** Anything else than the three is INVALID_RESUME_MODE. */
    resumeMode: z
      .string()
      .max(100)
      .default('continue')
      .describe(`one of: ${resumeModes.join(', ')}`),
    /** For `from_checkpoint`; the last one when it is not given. */
    checkpointId: zId.optional(),
    /** What it is told beside what happened. */
    additionalContext: z.string().max(20_000).optional(),
  }),
  status: 200,
  response: z.object({
    supervisorTaskId: zId,
    /** Where it is expected to start; null when any daemon may take it. */
    daemonId: zId.nullable(),
    resumedFrom: z.object({
      phase: z.string(),
      lastActivity: z.string(),
      messageCount: z.int(),
    }),
    status: z.string(),
    restoration: zRestorationInfo.nullable(),
  }),
  errors: [
    'CONTRACT_NOT_FOUND',
    'SUPERVISOR_NOT_FOUND',
    'NOT_FOUND',
    'ALREADY_RUNNING',
    'INVALID_RESUME_MODE',
    'INVALID_TRANSITION',
    'MISSING_REPO_URL',
    'CONFLICT',
  ],
  policy: { person: 'write', tool: 'none', daemon: false },
  idempotent: true,
});
