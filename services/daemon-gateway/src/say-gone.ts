/**
 * Tells the store that a connection is over.
 *
 * Law: best effort: only the newest connection is believed, and when nothing is told, a sweep finds out.
 */
import { disconnectDaemon } from '@makima/engine/daemon/disconnect';
import type { DaemonPrincipal } from '@makima/engine/principal';
import { closes, type Close } from './close.ts';
import type { Gateway } from './context.ts';

export async function sayGone(
  gateway: Gateway,
  daemon: DaemonPrincipal,
  sessionEpoch: number | undefined,
  close: Close,
): Promise<void> {
  if (sessionEpoch === undefined || close.code === closes.replaced.code) return;
  try {
    await disconnectDaemon(gateway.engine, daemon, { sessionEpoch, reason: close.reason });
  } catch (error) {
    gateway.log.debug({ err: error, daemonId: daemon.daemonId }, 'nobody was told that it is gone');
  }
}
