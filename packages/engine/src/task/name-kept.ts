/**
 * Work that stands on a ref of a machine and on no branch is named to people.
 *
 * Law: once for each ref: the same one told again, by whichever report, is no news.
 */
import { insertKeptRef } from '@makima/db/repo/contracts';
import type { Act } from '../context.ts';

export interface KeptName {
  readonly contractId: string | null;
  readonly taskId: string;
  readonly daemonId: string;
  readonly ref: string;
  readonly why: string;
}

/** `more`: what else is known of it, for the event. */
export async function nameKept(
  a: Act,
  kept: KeptName,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  if (!(await insertKeptRef(a.tx, { ownerId: a.ownerId, ...kept }))) return;
  const { contractId, taskId, ref, why } = kept;
  a.emit('task.kept', { contractId, taskId, data: { ref, why, ...more } });
}
