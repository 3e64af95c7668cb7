/** Sweep: supervisors that are interrupted and whose restoration never came; each gets its mail again. */
import { orphanedSupervisors } from '@makima/db/repo/supervisors';
import type { Engine } from '../context.ts';

export interface Orphan {
  readonly ownerId: string;
  readonly taskId: string;
  readonly attempt: number;
}

/** For the restorer, which calls `restoreSupervisor` for each: hint and scan do the same work. */
export function findOrphaned(
  engine: Engine,
  input: { limit: number; olderThanMs: number },
): Promise<Orphan[]> {
  return orphanedSupervisors(engine.database.sql, input);
}
