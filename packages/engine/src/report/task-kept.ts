/**
 * Where work stands that is on no branch, told by the machine that has it: named to people, once.
 *
 * Law: a name changes nothing of the attempt, whichever it is; the same ref told again is no news.
 */
import type { ReportOf } from '@makima/contracts/socket/reports';
import { insertKeptRef } from '@makima/db/repo/contracts';
import type { Act } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';
import { fenceReport, type Fenced } from './fence.ts';

export async function taskKept(
  a: Act,
  daemon: DaemonPrincipal,
  report: ReportOf<'task.kept'>,
): Promise<void> {
  const fenced = await fenceReport(a, daemon, report);
  if (fenced !== undefined) await nameKept(a, daemon, fenced, report);
}

export async function nameKept(
  a: Act,
  daemon: DaemonPrincipal,
  { task, attempt }: Fenced,
  { ref, why }: { readonly ref: string; readonly why: string },
): Promise<void> {
  const { ownerId } = a;
  const { id: taskId, contractId, name } = task;
  const { daemonId } = daemon;
  if (!(await insertKeptRef(a.tx, { ownerId, contractId, taskId, daemonId, ref, why }))) return;
  a.emit('task.kept', {
    contractId,
    taskId,
    data: { ref, why, attempt: attempt.attempt, name },
  });
}
