/**
 * A save point: the supervisor's condition written in the transaction of what it describes, and the mail
 * that has a snapshot built from it.
 *
 * Law: restoration is right even if the snapshot is never built: the rows are the truth.
 */
import { checkSupervisorTransition, type SupervisorCondition } from '@makima/domain/supervisor';
import { lockSupervisor, saveCondition } from '@makima/db/repo/supervisors';
import type { TaskRow } from '@makima/db/rows';
import type { Act } from './context.ts';

export async function savePoint(
  act: Act,
  task: Pick<TaskRow, 'id' | 'contractId' | 'currentAttempt'>,
  condition: SupervisorCondition,
): Promise<void> {
  const before = await lockSupervisor(act.tx, { ownerId: act.ownerId, taskId: task.id });
  if (before === undefined) return;
  const allowed = checkSupervisorTransition(before.state, condition.state).ok;
  const state = allowed ? condition.state : before.state;
  await saveCondition(act.tx, {
    taskId: task.id,
    state,
    activity: condition.activity,
  });
  if (state !== before.state) {
    act.emit('supervisor.state_changed', {
      contractId: task.contractId,
      taskId: task.id,
      data: {
        from: before.state,
        to: state,
        activity: condition.activity,
        progress: before.progress,
      },
    });
  }
  mailSave(act, task);
}

/** Have a snapshot built, where the condition stays as it is. */
export function mailSave(act: Act, task: Pick<TaskRow, 'id' | 'currentAttempt'>): void {
  act.mail(
    'save-state',
    { taskId: task.id, attempt: task.currentAttempt },
    { entityId: task.id, fence: `${task.currentAttempt}-${savedAt(act)}` },
  );
}

/** So long responses of a model are gathered before a snapshot is built of them. */
const gatherMs = 10_000;

/** A model has spoken: its words are rows already, and one snapshot is built of all that it says in a while. */
export function mailSaveSoon(act: Act, task: Pick<TaskRow, 'id' | 'currentAttempt'>): void {
  const period = Math.floor(act.now.getTime() / gatherMs);
  act.mail(
    'save-state',
    { taskId: task.id, attempt: task.currentAttempt },
    {
      entityId: task.id,
      fence: `${task.currentAttempt}-said-${period.toString(36)}`,
      notBefore: new Date((period + 1) * gatherMs),
    },
  );
}

/** Each save point has its own ticket. */
function savedAt(act: Act): string {
  return act.now.getTime().toString(36);
}
