/** What an attempt has used so far, told in the middle of a turn; also of one that was given up. */
import type { ReportOf } from '@makima/contracts/socket/reports';
import type { Act } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';
import { recordUsage } from '../usage/record.ts';
import { fenceReport } from './fence.ts';

export async function taskUsed(
  a: Act,
  daemon: DaemonPrincipal,
  report: ReportOf<'task.used'>,
): Promise<void> {
  const fenced = await fenceReport(a, daemon, report);
  if (fenced !== undefined) await recordUsage(a, { ...report, task: fenced.task });
}
