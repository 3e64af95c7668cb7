/** The record of the task that a command is about, as the attempt that the command names (else the latest). */
import { MakimaError } from '@makima/domain/error';
import type { DaemonContext } from '../context.ts';
import type { TaskRecord } from '../workspace/port.ts';

/** @throws MakimaError `NOT_FOUND` when the task never ran here or was cleaned away. */
export async function recordFor(
  context: DaemonContext,
  { taskId, attempt }: { readonly taskId: string; readonly attempt?: number },
): Promise<TaskRecord> {
  const record = await context.records.read(taskId);
  if (record === null) {
    throw new MakimaError('NOT_FOUND', 'The task has no directory on this daemon.', {
      details: { taskId },
    });
  }
  return { ...record, attempt: attempt ?? record.attempt };
}
