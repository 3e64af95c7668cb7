/**
 * What a monitor of contracts is told, and what it may ask for: the names of seed 004, over the socket and the
 * stream alike.
 *
 * Law: an event is told once and in the order of its contract. Each but the heartbeat has a cursor: whoever
 * was away goes on after the last one that it read. Heartbeats are telemetry and are not told again.
 */
import { z } from 'zod';
import { contractStatuses } from '@makima/domain/contract';
import { zId, zTime } from '../ids.ts';

const zStatus = z.enum(contractStatuses);

const told = { contract_id: zId, time: zTime, cursor: z.string() };

export const zMonitorEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('status_changed'),
    ...told,
    old_status: zStatus,
    new_status: zStatus,
    reason: z.string().nullable(),
  }),
  z.object({
    type: z.literal('phase_changed'),
    ...told,
    old_phase: z.string(),
    new_phase: z.string(),
  }),
  z.object({
    type: z.literal('supervisor_state_changed'),
    ...told,
    supervisor_task_id: zId,
    old_state: z.string(),
    new_state: z.string(),
  }),
  z.object({
    type: z.literal('stale_detected'),
    ...told,
    last_activity: zTime,
    stale_duration_secs: z.int(),
  }),
  z.object({ type: z.literal('stale_cleared'), ...told, stale_duration_secs: z.int() }),
  z.object({
    type: z.literal('task_completed'),
    ...told,
    task_id: zId,
    task_name: z.string(),
    success: z.boolean(),
  }),
  z.object({
    type: z.literal('deliverable_completed'),
    ...told,
    phase: z.string(),
    deliverable_id: z.string(),
  }),
  z.object({
    type: z.literal('question_asked'),
    ...told,
    question_id: zId,
    question: z.string(),
    question_type: z.string(),
  }),
  z.object({
    type: z.literal('heartbeat'),
    contract_id: zId,
    time: zTime,
    supervisor_task_id: zId,
    state: z.string(),
    activity: z.string().nullable(),
    progress: z.int(),
  }),
]);
export type MonitorEvent = z.infer<typeof zMonitorEvent>;
export type MonitorEventType = MonitorEvent['type'];

/** The first message of a monitor; a later one replaces it. */
export const zMonitorFilter = z.strictObject({
  /** Only these contracts; absent: all of the owner. */
  contract_ids: z.array(zId).max(1_000).optional(),
  /** Only while a contract has one of these statuses; a change tells those of both its ends. */
  statuses: z.array(zStatus).max(contractStatuses.length).optional(),
  include_stale: z.boolean().default(true),
  include_heartbeats: z.boolean().default(false),
  /** A cursor to go on after, `now` (the default); only in the first message. */
  after: z.string().max(200).optional(),
});
export type MonitorFilter = z.infer<typeof zMonitorFilter>;

/** What the server says besides events. */
export const zMonitorNotice = z.discriminatedUnion('type', [
  /** All that was missed has been told: from here on it is live. */
  z.object({ type: z.literal('ready'), cursor: z.string() }),
  /** Nothing for you until here: a cursor to go on after. */
  z.object({ type: z.literal('position'), cursor: z.string() }),
  /** The reader takes nothing: it is cut, and goes on after its last cursor. */
  z.object({ type: z.literal('resync'), cursor: z.string() }),
  /** The cursor is of no use: read the contracts anew, then monitor from `now`. */
  z.object({ type: z.literal('reload'), code: z.string(), message: z.string() }),
  z.object({ type: z.literal('error'), code: z.string(), message: z.string() }),
]);
export type MonitorNotice = z.infer<typeof zMonitorNotice>;

/** Why the server closes a monitor's socket. */
export const monitorCloseCodes = {
  protocol: 4400,
  unauthenticated: 4401,
  slow: 4408,
  reload: 4410,
  limit: 4429,
  draining: 4503,
} as const;

/** What both ends of a monitor's socket speak; named by whoever names protocols at all. */
export const monitorProtocol = 'makima.monitor';
/** Before a ticket, among the protocols that a browser's socket names: it can set no header. */
export const monitorTicketPrefix = 'makima.ticket.';

/** Opens one monitor, once and soon. */
export const zMonitorTicket = z.object({
  /** For the second argument of the browser's `WebSocket`. */
  protocols: z.array(z.string()),
  expiresAt: zTime,
});
export type MonitorTicket = z.infer<typeof zMonitorTicket>;

export const monitorPath = '/api/v1/contracts/monitor';
