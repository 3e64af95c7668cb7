/**
 * One process at a time for work that would be waste to do twice: a lock of the database's, held for the
 * length of one round. Whoever does not get it leaves the round to the one who has it.
 *
 * Law: it saves work, it guards nothing: whatever runs under it is right when two do it. A holder that dies
 * or is cut off loses it with its session.
 */
import { withClientDeadline, type Database } from './client.ts';
import { asLeader } from './repo/locks.ts';

/** Run `work` unless another process does it now; answers whether it ran. */
export type Leader = (name: string, work: () => Promise<void>) => Promise<boolean>;

const roundMs = 60_000;

export function leaderOf(database: Database): Leader {
  return (name, work) => {
    const round = asLeader(database.sql, name, work);
    // A round that outlives its limit still settles later; nobody is listening then.
    round.catch(() => undefined);
    return withClientDeadline(roundMs, round);
  };
}
