/**
 * Why a write of a connection was refused as an older one's: replaced, revoked, or given up by the sweep
 * while the store was away.
 *
 * Law: the rows say it; when they cannot be read, the daemon comes again and learns it then.
 */
import { tendSessions } from '@makima/engine/daemon/tend';
import type { Engine } from '@makima/engine/context';
import type { DaemonPrincipal } from '@makima/engine/principal';
import { closes, type Close } from './close.ts';

export async function whyFenced(
  engine: Engine,
  daemon: DaemonPrincipal,
  sessionEpoch: number,
): Promise<Close> {
  const { daemonId, keyId } = daemon;
  try {
    const [found] = await tendSessions(engine, [{ daemonId, keyId, sessionEpoch, afterSeq: 0 }]);
    if (found?.revoked) return closes.revoked;
    return found?.replaced ? closes.replaced : closes.dropped;
  } catch {
    return closes.dropped;
  }
}
