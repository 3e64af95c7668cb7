/**
 * Heartbeats: one frame renews the leases of everything that runs on a daemon, and the answer says what of
 * it is over. Only the newest beat counts, and it does not stand behind reports.
 *
 * Law: an answer names the beat that it answers; without one the daemon freezes its agents in time.
 */
import type { DaemonFrame, Running } from '@makima/contracts/socket/frames';
import { renewLeases } from '@makima/engine/daemon/beat';
import { keepHeartbeats } from '@makima/engine/supervisor/heartbeats';
import type { Line } from './line.ts';
import { latest, type Latest } from './latest.ts';
import { patiently } from './patience.ts';

export type BeatFrame = Extract<DaemonFrame, { type: 'heartbeat' }>;

export function takeBeats(line: Line): Latest<BeatFrame> {
  const take = async ({ beat, running, freeDiskBytes }: BeatFrame): Promise<void> => {
    const { sessionEpoch } = line;
    try {
      const { leaseMs, renewed, fenced } = await patiently(line.patience, () =>
        renewLeases(line.engine, line.daemon, { sessionEpoch, running, freeDiskBytes }),
      );
      line.send({ type: 'lease', beat, leaseMs, renewed: [...renewed], fenced: [...fenced] });
      await keep(line, renewed);
    } catch (error) {
      line.fail(error);
    }
  };
  return latest(take, ({ running }) => line.metrics.superseded.inc({}, running.length));
}

/** What is lost of it is lost: a heartbeat ends no connection. */
async function keep(line: Line, renewed: readonly Running[]): Promise<void> {
  try {
    const kept = await keepHeartbeats(line.engine, line.daemon, renewed);
    if (kept > 0) line.metrics.heartbeats.inc({}, kept);
  } catch (error) {
    line.log.warn({ err: error }, 'heartbeats of supervisors were not kept');
  }
}
