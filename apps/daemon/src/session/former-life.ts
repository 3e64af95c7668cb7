/**
 * What the daemon's former life left in the journal: attempts whose agent may have been started and whose end
 * was never written. Their processes are dead by now; their work is collected and their end told.
 *
 * Law: nothing is adopted; each end is reported once, since the report itself ends the attempt.
 */
import type { Running } from '@makima/contracts/socket/frames';
import type { DaemonContext } from '../context.ts';
import { reportEnd } from '../commands/report-end.ts';
import type { Collected } from '../workspace/port.ts';

export async function reportFormerLife(context: DaemonContext): Promise<void> {
  const { attempts, pending } = context.journal.state;
  const isStartable = (of: Running): boolean =>
    [...pending.values()].some(
      (command) =>
        command.kind === 'task.start' &&
        command.taskId === of.taskId &&
        command.attempt === of.attempt,
    );
  const left = [...attempts.values()].filter(
    (attempt) => attempt.phase !== 'ended' && !(attempt.phase === 'taken' && isStartable(attempt)),
  );
  for (const { taskId, attempt } of left) {
    const collected = await collect(context, taskId, attempt);
    await reportEnd(
      context,
      { taskId, attempt },
      {
        outcome: 'daemon_restarted',
        summary: 'the daemon came to its end while the agent worked',
        commitSha: collected?.commitSha ?? null,
        keptRef: collected?.keptRef ?? null,
      },
    );
  }
}

async function collect(
  context: DaemonContext,
  taskId: string,
  attempt: number,
): Promise<Collected | null> {
  const record = await context.records.read(taskId);
  if (record === null || record.attempt !== attempt) return null;
  try {
    const options = { leftovers: 'keep', why: 'daemon_restarted' } as const;
    const collected = await context.workspace.collect(record, options);
    await context.records.write({ ...record, leftoverSha: collected.leftoverSha });
    return collected;
  } catch (error) {
    context.log.error({ err: error, taskId, attempt }, 'work was not collected');
    return null;
  }
}
