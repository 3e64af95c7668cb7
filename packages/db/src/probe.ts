/**
 * Whether Postgres answers somebody new. A pool that no longer answers may be sick itself (its process
 * should end) or only wait for a server that is away (its process should stay and wait).
 */
import { openDatabase, type Database } from './client.ts';
import { reading } from './tx.ts';

const probeMs = 3_000;

/** True when a fresh connection gets an answer. Never throws. */
export async function answersAfresh(url: string): Promise<boolean> {
  const database = openDatabase(url, { max: 1, name: 'makima-probe' });
  try {
    await database.ping(probeMs);
    return true;
  } catch {
    return false;
  } finally {
    // A frozen server does not let go either: nobody waits for that.
    void database.close().catch(() => undefined);
  }
}

/** How long this Postgres has been up, and what its clock says, in milliseconds. */
export async function storeMoment(
  database: Database,
): Promise<{ readonly uptimeMs: number; readonly clockMs: number }> {
  const [row] = await reading(
    database,
    database.sql<{ uptimeMs: number; clockMs: number }[]>`
      select extract(epoch from now() - pg_postmaster_start_time())::float * 1000 as uptime_ms,
             extract(epoch from clock())::float * 1000 as clock_ms`,
  );
  return row ?? { uptimeMs: 0, clockMs: 0 };
}
