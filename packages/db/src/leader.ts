/**
 * One process at a time for work that would be waste to do twice: a lock of the database's, held for the
 * length of one round. Whoever does not get it leaves the round to the one who has it.
 *
 * Law: it saves work, it guards nothing: whatever runs under it is right when two do it. A holder that dies
 * or is cut off loses it with its session. Rounds hold at most half of the pool, since each holds a connection
 * while its work asks for another: a pool of holders would wait for itself.
 */
import { withClientDeadline, type Database } from './client.ts';
import { asLeader } from './repo/locks.ts';

/** Run `work` unless another process does it now; answers whether it ran. */
export type Leader = (name: string, work: () => Promise<void>) => Promise<boolean>;

const roundMs = 60_000;

export function leaderOf(database: Database): Leader {
  const inTurn = turnsOf(Math.max(1, Math.floor(database.sql.options.max / 2)));
  return (name, work) =>
    inTurn(() => {
      const round = asLeader(database.sql, name, work);
      // A round that outlives its limit still settles later; nobody is listening then.
      round.catch(() => undefined);
      return withClientDeadline(roundMs, round);
    });
}

/** At most `max` at once; the others in the order in which they came. */
function turnsOf(max: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = max;
  return async (work) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
