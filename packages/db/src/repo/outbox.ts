/**
 * The outbox: jobs that must be queued because of what was written with them. Claimed by row state under
 * a short lease, so that a gap in the ids or a slow transaction loses nothing.
 */
import type { JobName } from '@makima/contracts/jobs';
import type { Sql, Tx } from '../client.ts';

export interface NewMail {
  readonly ownerId: string;
  readonly queue: JobName;
  readonly jobId: string;
  readonly payload: Record<string, unknown>;
  readonly notBefore: Date | null;
}

export interface OutboxRow {
  readonly id: number;
  readonly queue: JobName;
  readonly jobId: string;
  readonly payload: unknown;
}

export async function appendOutbox(tx: Tx, mail: readonly NewMail[]): Promise<void> {
  if (mail.length === 0) return;
  const list = tx.json(
    mail.map((m) => ({
      owner_id: m.ownerId,
      queue: m.queue,
      job_id: m.jobId,
      payload: m.payload,
      not_before: m.notBefore,
    })) as never,
  );
  await tx`
    insert into outbox (owner_id, queue, job_id, payload, not_before)
    select owner_id, queue, job_id, payload, coalesce(not_before, clock())
      from jsonb_to_recordset(${list}) as m(owner_id uuid, queue text, job_id text, payload jsonb, not_before timestamptz)`;
}

/** Seconds: longer than a relay may wait for Redis (3 s), short enough that its death is hardly felt. */
const leaseSeconds = 6;

/** Claim due rows for a few seconds. One that is claimed again meanwhile makes the same job, by its id. */
export async function claimOutbox(
  sql: Sql,
  args: { leaseOwner: string; limit: number },
): Promise<OutboxRow[]> {
  return sql<OutboxRow[]>`
    with due as (
      select id from outbox
       where published_at is null and not_before <= clock() and (lease_until is null or lease_until < clock())
       order by id limit ${args.limit} for update skip locked)
    update outbox o set lease_until = clock() + make_interval(secs => ${leaseSeconds}), lease_owner = ${args.leaseOwner}, attempts = attempts + 1
      from due where o.id = due.id
    returning o.id, o.queue, o.job_id, o.payload`;
}

export async function markPublished(
  sql: Sql,
  args: { leaseOwner: string; ids: readonly number[] },
): Promise<void> {
  if (args.ids.length === 0) return;
  await sql`update outbox set published_at = clock(), lease_until = null
             where id = any(${args.ids as number[]}::bigint[]) and lease_owner = ${args.leaseOwner}`;
}

export async function markFailed(
  sql: Sql,
  args: { leaseOwner: string; ids: readonly number[]; error: string },
): Promise<void> {
  if (args.ids.length === 0) return;
  await sql`update outbox set lease_until = null, last_error = ${args.error.slice(0, 500)}
             where id = any(${args.ids as number[]}::bigint[]) and lease_owner = ${args.leaseOwner}`;
}

/** Rows published long ago are of no more use. */
export async function pruneOutbox(sql: Sql, args: { olderThanHours: number }): Promise<number> {
  const gone =
    await sql`delete from outbox where published_at < clock() - make_interval(hours => ${args.olderThanHours})`;
  return gone.count;
}

/** Age in seconds of the oldest row that should have left, for health; 0 when none. */
export async function outboxLagSeconds(sql: Sql): Promise<number> {
  const [row] = await sql<{ lag: number | null }[]>`
    select extract(epoch from clock() - min(not_before))::float as lag from outbox where published_at is null and not_before <= clock()`;
  return row?.lag ?? 0;
}
