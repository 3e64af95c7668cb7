/** The end of an attempt that has no life here: nothing ran, so nothing is left of it. */
import type { Running } from '@makima/contracts/socket/frames';
import type { ReportOf } from '@makima/contracts/socket/reports';
import type { DaemonContext } from '../context.ts';
import { cleanText } from '../session/lines.ts';

type Ended = ReportOf<'task.ended'>;

export async function reportEnd(
  context: Pick<DaemonContext, 'journal' | 'log'>,
  { taskId, attempt }: Running,
  end: Pick<Ended, 'outcome' | 'summary'> & Partial<Pick<Ended, 'error' | 'commitSha' | 'keptRef'>>,
): Promise<void> {
  const report: Ended = {
    kind: 'task.ended',
    taskId,
    attempt,
    error: null,
    exitCode: null,
    signal: null,
    commitSha: null,
    keptRef: null,
    usage: null,
    ...end,
    summary: cleanText(end.summary),
    ...(typeof end.error === 'string' ? { error: cleanText(end.error) } : {}),
  };
  await context.journal.report(report).catch((error: unknown) => {
    context.log.error({ err: error, taskId, attempt }, 'an end was not written');
  });
}
