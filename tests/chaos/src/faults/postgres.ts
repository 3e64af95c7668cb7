// What happens to Postgres: its backends ended one by one or all at once, and the server restarted.
import type { House } from '../house/house.ts';
import { aimedAt } from '../schedule.ts';
import type { Fault, Strike } from './fault.ts';

/** `fast` rolls back and ends; `immediate` leaves the mending to the next start. */
export function restartPostgres(how: 'fast' | 'immediate'): Fault {
  return {
    about: `Postgres stopped (${how}) and started again`,
    recovery: 'probe',
    strike(house) {
      const one = house.process('postgres');
      const { pid } = one;
      if (pid === null) return null;
      one.signal(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
      return {
        hit: `postgres (pid ${pid})`,
        evidence: () =>
          one.pid !== null && one.pid !== pid && one.isReady
            ? 'postgres was started again'
            : undefined,
      };
    },
  };
}

export const terminateBackends: Fault = {
  about: 'pg_terminate_backend for all connections of one service, whatever they are doing',
  recovery: 'probe',
  strike: (house, aim) => terminate(house, aim.at),
};

async function terminate(house: House, at: number): Promise<Strike | null> {
  const names = ['makima-api', 'makima-scheduler', 'makima-restorer', 'makima-daemon-gateway'];
  const name = aimedAt(names, at) ?? 'makima-api';
  const rows = await house.sql<{ ended: boolean }[]>`
    select pg_terminate_backend(pid) as ended from pg_stat_activity
     where application_name = ${name} and pid <> pg_backend_pid()`.catch(() => []);
  const count = rows.filter(({ ended }) => ended).length;
  return count === 0
    ? null
    : { hit: `${count} backends of ${name}`, evidence: () => `${count} backends ended` };
}
