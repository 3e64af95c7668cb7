/**
 * A fact of the store in the words of seed 004's monitor.
 *
 * Law: an event that a monitor has no word for is none of its events; what is told was written by the verb
 * that made it true, and nothing is looked up.
 */
import type { EventType } from '@makima/contracts/entity/event';
import type { MonitorEvent } from '@makima/contracts/entity/monitor';
import type { ContractStatus } from '@makima/domain/contract';
import type { EventRow } from '@makima/db/repo/events';
import type { LastHeartbeatRow } from '@makima/db/repo/supervisors';

type Told = Pick<Extract<MonitorEvent, { cursor: string }>, 'contract_id' | 'time' | 'cursor'>;
type Words = (told: Told, row: EventRow) => MonitorEvent;

const taskEnd: Words = (told, { type, taskId, data }) => ({
  type: 'task_completed',
  ...told,
  task_id: taskId ?? '',
  task_name: text(data['name']),
  success: type === 'task.completed',
});

/** The kinds of events that monitors have a word for. */
const words: Partial<Record<EventType, Words>> = {
  'contract.status_changed': (told, { data }) => ({
    type: 'status_changed',
    ...told,
    old_status: data['from'] as ContractStatus,
    new_status: data['to'] as ContractStatus,
    reason: typeof data['reason'] === 'string' ? data['reason'] : null,
  }),
  'contract.phase_changed': (told, { data }) => ({
    type: 'phase_changed',
    ...told,
    old_phase: text(data['from']),
    new_phase: text(data['to']),
  }),
  'contract.stale_detected': (told, { data }) => ({
    type: 'stale_detected',
    ...told,
    last_activity: text(data['lastProgressAt']),
    stale_duration_secs: Number(data['staleSeconds']),
  }),
  'contract.stale_cleared': (told, { data }) => ({
    type: 'stale_cleared',
    ...told,
    stale_duration_secs: Number(data['staleSeconds']),
  }),
  'supervisor.state_changed': (told, { taskId, data }) => ({
    type: 'supervisor_state_changed',
    ...told,
    supervisor_task_id: taskId ?? '',
    old_state: text(data['from']),
    new_state: text(data['to']),
  }),
  'task.completed': taskEnd,
  'task.failed': taskEnd,
  'task.cancelled': taskEnd,
  'deliverable.completed': (told, { data }) => ({
    type: 'deliverable_completed',
    ...told,
    phase: text(data['phase']),
    deliverable_id: text(data['deliverableId']),
  }),
  'question.asked': (told, { data }) => ({
    type: 'question_asked',
    ...told,
    question_id: text(data['questionId']),
    question: text(data['question']),
    question_type: text(data['questionType']),
  }),
};

export const monitoredTypes = Object.keys(words) as readonly EventType[];

/** Undefined for what monitors are not told: other kinds, and what belongs to no contract. */
export function presentMonitorEvent(row: EventRow, cursor: string): MonitorEvent | undefined {
  if (row.contractId === null) return undefined;
  const told = { contract_id: row.contractId, time: row.at.toISOString(), cursor };
  return words[row.type]?.(told, row);
}

export function presentHeartbeat(row: LastHeartbeatRow): MonitorEvent {
  return {
    type: 'heartbeat',
    contract_id: row.contractId,
    time: row.lastHeartbeatAt.toISOString(),
    supervisor_task_id: row.taskId,
    state: row.state,
    activity: row.currentActivity,
    progress: row.progress,
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
