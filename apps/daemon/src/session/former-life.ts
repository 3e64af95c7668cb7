/**
 * What the daemon's former life left in the journal: attempts whose agent may have been started and whose end
 * was never written. Their processes are dead by now; their end is told at once, so that the work goes on.
 *
 * Law: nothing is adopted; each end is reported once, since the report itself ends the attempt.
 */
import type { Running } from '@makima/contracts/socket/frames';
import type { DaemonContext } from '../context.ts';
import { reportEnd } from '../commands/report-end.ts';

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
  const end = {
    outcome: 'daemon_restarted',
    summary: 'the daemon came to its end while the agent worked',
  } as const;
  await Promise.all(left.map((of) => reportEnd(context, of, end)));
}
