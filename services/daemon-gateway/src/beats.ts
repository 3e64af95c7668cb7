/**
 * Heartbeats: one frame renews the leases of everything that runs on a daemon, and the answer says what of
 * it is over. Only the newest beat counts, and it does not stand behind reports.
 *
 * Law: an answer names the beat that it answers; without one the daemon freezes its agents in time.
 */
import type { DaemonFrame } from '@makima/contracts/socket/frames';
import { renewLeases } from '@makima/engine/daemon/beat';
import type { Line } from './line.ts';
import { latest, type Latest } from './latest.ts';
import { patiently } from './patience.ts';

export type BeatFrame = Extract<DaemonFrame, { type: 'heartbeat' }>;

export function takeBeats(line: Line): Latest<BeatFrame> {
  return latest(async ({ beat, running, freeDiskBytes }) => {
    const { sessionEpoch } = line;
    try {
      const { leaseMs, renewed, fenced } = await patiently(line.patience, () =>
        renewLeases(line.engine, line.daemon, { sessionEpoch, running, freeDiskBytes }),
      );
      line.send({ type: 'lease', beat, leaseMs, renewed: [...renewed], fenced: [...fenced] });
    } catch (error) {
      line.fail(error);
    }
  });
}
