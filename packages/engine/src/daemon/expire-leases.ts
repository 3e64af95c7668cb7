/**
 * Sweep: attempts whose lease is over by the database's clock are given up. The daemon froze its agents
 * before that moment, so nothing works behind an expired lease.
 * A lease of the future is one of a clock that was set back: it ends in its time all the same.
 */
import { boundLeases, expiredAttempts } from '@makima/db/repo/attempts';
import type { AttemptRow } from '@makima/db/rows';
import { act, type Engine } from '../context.ts';
import { eachRow } from '../each-row.ts';
import { loseAttempt } from '../task/lose-attempt.ts';

/** A machine of a thousand agents is given up in a moment, and half of the pool stays for everybody else. */
const lanes = 4;

export async function expireLeases(engine: Engine, input: { limit: number }): Promise<number> {
  await boundLeases(engine.database.sql, { leaseMs: engine.settings.leaseMs });
  const due = await expiredAttempts(engine.database.sql, input);
  let lost = 0;
  const giveUp = async (attempt: AttemptRow): Promise<void> => {
    const { result } = await act(
      engine,
      { caller: { kind: 'system', ownerId: attempt.ownerId, name: 'expired-leases' } },
      (a) =>
        loseAttempt(a, {
          taskId: attempt.taskId,
          attempt: attempt.attempt,
          why: 'daemon_lost',
          detail: 'its daemon was silent until the lease ran out',
          onlyExpired: true,
        }),
    );
    if (result) lost += 1;
  };
  await eachRow(due, giveUp, { lanes });
  return lost;
}
