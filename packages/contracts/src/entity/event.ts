/**
 * Events on the wire: facts that happened, `noun.verbed`, with a gapless number within their contract.
 *
 * Law: an event carries ids and small facts, never output, never secrets.
 */
import { z } from 'zod';
import { zId, zTime } from '../ids.ts';

export const eventTypes = [
  'contract.created',
  'contract.updated',
  'contract.started',
  'contract.status_changed',
  'contract.phase_changed',
  'contract.guard_refused',
  'contract.ready',
  'contract.completed',
  'contract.failed',
  'contract.deleted',
  'repository.added',
  'repository.removed',
  'repository.trusted',
  'repository.distrusted',
  'deliverable.completed',
  'deliverable.staled',
  'directive.created',
  'directive.updated',
  'order.placed',
  'order.accepted',
  'order.dismissed',
  'task.spawned',
  'task.assigned',
  'task.unassigned',
  'task.started',
  'task.completed',
  'task.failed',
  'task.interrupted',
  'task.cancelled',
  'task.retried',
  'task.limited',
  'task.merged',
  'task.action_failed',
  'task.late',
  'task.kept',
  'attempt.lost',
  'supervisor.state_changed',
  'supervisor.resumed',
  'supervisor.restored',
  'supervisor.parked',
  'supervisor.woken',
  'supervisor.blocked',
  'supervisor.saved',
  'wait.started',
  'wait.satisfied',
  'wait.timed_out',
  'question.asked',
  'question.answered',
  'question.held',
  'question.cancelled',
  'question.redelivered',
  'message.sent',
  'message.delivered',
  'message.refused',
  'checkpoint.created',
  'operation.requested',
  'operation.finished',
  'pr.opened',
  'daemon.enrolled',
  'daemon.connected',
  'daemon.disconnected',
  'daemon.lost',
  'key.created',
  'key.revoked',
  'webhook.created',
  'webhook.changed',
  'webhook.deleted',
  'webhook.quarantined',
] as const;
export type EventType = (typeof eventTypes)[number];

export const zActor = z.object({
  kind: z.enum(['person', 'agent', 'daemon', 'system']),
  id: z.string().nullable(),
  name: z.string(),
});
export type Actor = z.infer<typeof zActor>;

export const zEvent = z.object({
  id: z.string(),
  contractId: zId.nullable(),
  seq: z.int().nullable(),
  type: z.enum(eventTypes),
  actor: zActor,
  taskId: zId.nullable(),
  data: z.record(z.string(), z.unknown()),
  time: zTime,
  v: z.literal(1),
});
export type Event = z.infer<typeof zEvent>;
