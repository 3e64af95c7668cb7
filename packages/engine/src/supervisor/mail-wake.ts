/** The ticket that has a parked supervisor looked at: each cause has its own, so that none is taken for another. */
import type { TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';

export function mailWake(a: Act, task: Pick<TaskRow, 'id' | 'currentAttempt'>): void {
  a.mail(
    'wake-supervisor',
    { taskId: task.id, attempt: task.currentAttempt },
    { entityId: task.id, fence: `${task.currentAttempt}-${a.now.getTime().toString(36)}` },
  );
}
