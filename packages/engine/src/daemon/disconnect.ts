/** A daemon's connection ended. Its leases go on; only the newest connection may say that it is gone. */
import { disconnectDaemonRow, silentDaemons } from '@makima/db/repo/daemons';
import { act, type Engine } from '../context.ts';
import { eachRow } from '../each-row.ts';
import type { DaemonPrincipal } from '../principal.ts';

export async function disconnectDaemon(
  engine: Engine,
  caller: DaemonPrincipal,
  input: { sessionEpoch: number; reason: string },
): Promise<void> {
  await act(engine, { caller }, async (a) => {
    const gone = await disconnectDaemonRow(a.tx, {
      id: caller.daemonId,
      sessionEpoch: input.sessionEpoch,
    });
    if (!gone) return;
    a.emit('daemon.disconnected', {
      contractId: null,
      data: {
        daemonId: caller.daemonId,
        name: caller.name,
        sessionEpoch: input.sessionEpoch,
        reason: input.reason,
      },
    });
  });
}

/** Connected in the rows but silent: its gateway died without a word. Sweep of the scheduler. */
export async function disconnectSilent(
  engine: Engine,
  input: { silentMs: number },
): Promise<number> {
  const silent = await silentDaemons(engine.database.sql, { silentMs: input.silentMs });
  await eachRow(silent, (daemon) =>
    disconnectDaemon(
      engine,
      {
        kind: 'daemon',
        ownerId: daemon.ownerId,
        daemonId: daemon.id,
        keyId: daemon.id,
        name: daemon.name,
      },
      { sessionEpoch: daemon.sessionEpoch, reason: 'silent' },
    ),
  );
  return silent.length;
}
