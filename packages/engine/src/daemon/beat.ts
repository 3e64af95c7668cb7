/** A daemon's heartbeat renews all its leases at once, and tells it what is over. */
import type { Running } from '@makima/contracts/socket/frames';
import { MakimaError } from '@makima/domain/error';
import { renewAttempts } from '@makima/db/repo/attempts';
import { seeDaemon } from '@makima/db/repo/daemons';
import { heartbeatSupervisors } from '@makima/db/repo/supervisors';
import { inTransaction } from '@makima/db/tx';
import type { Engine } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';

export interface Beat {
  readonly leaseMs: number;
  readonly renewed: readonly Running[];
  readonly fenced: readonly Running[];
}

/** Throws FENCED when a newer connection of this daemon exists. */
export async function renewLeases(
  engine: Engine,
  caller: DaemonPrincipal,
  input: { sessionEpoch: number; running: readonly Running[]; freeDiskBytes: number | null },
): Promise<Beat> {
  return inTransaction(engine.database, async (tx) => {
    const seen = await seeDaemon(tx, {
      id: caller.daemonId,
      sessionEpoch: input.sessionEpoch,
      freeDiskBytes: input.freeDiskBytes,
    });
    if (!seen) throw new MakimaError('FENCED', 'a newer connection of this daemon exists');
    const { leaseMs } = engine.settings;
    const renewed = await renewAttempts(tx, {
      daemonId: caller.daemonId,
      running: input.running,
      leaseMs,
    });
    await heartbeatSupervisors(tx, { taskIds: renewed.map((r) => r.taskId) });
    const fenced = input.running.filter(
      (r) => !renewed.some((k) => k.taskId === r.taskId && k.attempt === r.attempt),
    );
    return { leaseMs, renewed, fenced };
  });
}
