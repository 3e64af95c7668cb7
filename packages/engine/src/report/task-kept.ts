/**
 * Where work stands that is on no branch, told by the machine that has it: named to people, once.
 *
 * Law: a name changes nothing of the attempt, whichever it is; the same ref told again is no news.
 */
import type { ReportOf } from '@makima/contracts/socket/reports';
import type { Act } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';
import { nameKept } from '../task/name-kept.ts';
import { fenceReport, type Fenced } from './fence.ts';

export async function taskKept(
  a: Act,
  daemon: DaemonPrincipal,
  report: ReportOf<'task.kept'>,
): Promise<void> {
  const fenced = await fenceReport(a, daemon, report);
  if (fenced !== undefined) await keptBy(a, daemon, fenced, report);
}

export async function keptBy(
  a: Act,
  { daemonId }: DaemonPrincipal,
  { task, attempt }: Fenced,
  { ref, why }: { readonly ref: string; readonly why: string },
): Promise<void> {
  const { id: taskId, contractId, name } = task;
  await nameKept(a, { contractId, taskId, daemonId, ref, why }, { attempt: attempt.attempt, name });
}
