/** The database's time, which every deadline is measured by. */
import type { Queryable } from '../client.ts';

export async function databaseTime(db: Queryable): Promise<Date> {
  const [row] = await db<{ now: Date }[]>`select clock() as now`;
  if (row === undefined) throw new Error('the database has no clock()');
  return row.now;
}
