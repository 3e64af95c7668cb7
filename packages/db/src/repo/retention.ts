/**
 * Rows that are of no more use to anybody: expired idempotency keys, commands that their daemon has long had,
 * tool keys of attempts that are over, the log of deliveries, incidents that are over.
 *
 * Law: bounded work per call; a row that another transaction holds is left for the next.
 */
import type { Sql } from '../client.ts';

export interface RetentionArgs {
  /** Most rows that one call removes. */
  readonly limit: number;
}

const restMs = 24 * 3_600_000;
const deliveryLogDays = 30;

export async function dropExpiredIdempotency(sql: Sql, { limit }: RetentionArgs): Promise<number> {
  const gone = await sql`
    delete from idempotency_keys k using (
      select owner_id, key from idempotency_keys where expires_at <= clock()
       order by expires_at limit ${limit} for update skip locked) old
     where k.owner_id = old.owner_id and k.key = old.key`;
  return gone.count;
}

/** Acked a day ago, and their attempt, if they speak of one, is over. */
export async function dropOldCommands(sql: Sql, { limit }: RetentionArgs): Promise<number> {
  const gone = await sql`
    delete from daemon_commands c using (
      select o.daemon_id, o.seq from daemon_commands o
       where o.acked_at < clock() - make_interval(secs => ${restMs / 1000})
         and not exists (select 1 from task_attempts a where a.task_id = o.task_id and a.attempt = o.attempt
                            and a.state in ('assigned', 'running'))
       limit ${limit} for update skip locked) old
     where c.daemon_id = old.daemon_id and c.seq = old.seq`;
  return gone.count;
}

/** Revoked a day ago. */
export async function dropOldToolKeys(sql: Sql, { limit }: RetentionArgs): Promise<number> {
  const gone = await sql`
    delete from keys k using (
      select id from keys where kind = 'tool' and revoked_at < clock() - make_interval(secs => ${restMs / 1000})
       limit ${limit} for update skip locked) old
     where k.id = old.id`;
  return gone.count;
}

/** Finished a month ago, or waiting that long for an endpoint that was never brought back. */
export async function dropOldDeliveries(sql: Sql, { limit }: RetentionArgs): Promise<number> {
  const gone = await sql`
    delete from webhook_deliveries d using (
      select id from webhook_deliveries
       where created_at < clock() - make_interval(days => ${deliveryLogDays})
         and coalesce(finished_at, created_at) < clock() - make_interval(days => ${deliveryLogDays})
       limit ${limit} for update skip locked) old
     where d.id = old.id`;
  return gone.count;
}

/** Closed that long ago. */
export async function dropOldIncidents(
  sql: Sql,
  { limit, keepMs }: RetentionArgs & { readonly keepMs: number },
): Promise<number> {
  const gone = await sql`
    delete from incidents i using (
      select id from incidents where closed_at < clock() - make_interval(secs => ${keepMs / 1000})
       order by closed_at limit ${limit} for update skip locked) old
     where i.id = old.id`;
  return gone.count;
}
