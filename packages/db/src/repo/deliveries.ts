/**
 * Deliveries: one for an endpoint and an event, tried until it is taken or its tries are used up.
 *
 * Law: who speaks to an endpoint holds its lease; a try is written down before it is made, and its end only
 * by whoever made it.
 */
import type { DeliveryState } from '@makima/domain/webhook';
import type { Queryable, Tx } from '../client.ts';
import type { DeliveryAttemptRow, DeliveryRow, WebhookRow } from '../rows.ts';

export type NewDelivery = Pick<
  DeliveryRow,
  'ownerId' | 'webhookId' | 'eventId' | 'eventType' | 'contractId' | 'body'
>;

/** Those that were not there yet; an event that was delivered before is left alone. */
export async function insertDeliveries(tx: Tx, rows: readonly NewDelivery[]): Promise<number> {
  if (rows.length === 0) return 0;
  const made = await tx`
    insert into webhook_deliveries ${tx(rows as never)} on conflict (webhook_id, event_id) do nothing`;
  return made.count;
}

/** Delivered once more, or for the first time; what waits anyway is left alone. */
export async function insertOrRepeat(tx: Tx, rows: readonly NewDelivery[]): Promise<number> {
  if (rows.length === 0) return 0;
  const made = await tx`
    insert into webhook_deliveries ${tx(rows as never)}
    on conflict (webhook_id, event_id) do update
       set state = 'pending', tries = 0, next_try_at = clock(), finished_at = null
     where webhook_deliveries.state <> 'pending'`;
  return made.count;
}

export async function insertTest(
  tx: Tx,
  row: Omit<NewDelivery, 'eventId' | 'contractId'>,
): Promise<DeliveryRow> {
  const [made] = await tx<
    DeliveryRow[]
  >`insert into webhook_deliveries ${tx(row as never)} returning *`;
  return made as DeliveryRow;
}

/** Fenced by being finished. */
export async function repeatDelivery(tx: Tx, args: { id: string }): Promise<boolean> {
  const done = await tx`
    update webhook_deliveries set state = 'pending', tries = 0, next_try_at = clock(), finished_at = null
     where id = ${args.id} and state <> 'pending'`;
  return done.count === 1;
}

export async function countPendingTests(
  db: Queryable,
  args: { webhookId: string },
): Promise<number> {
  const [row] = await db<{ n: number }[]>`
    select count(*)::int as n from webhook_deliveries
     where webhook_id = ${args.webhookId} and state = 'pending' and event_id is null`;
  return row?.n ?? 0;
}

/** A delivery with its newest try. */
export interface DeliveryListRow extends DeliveryRow {
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly lastDurationMs: number | null;
}

const withLast = (db: Queryable) => db`
  select d.*, a.status as last_status, a.error as last_error, a.duration_ms as last_duration_ms
    from webhook_deliveries d
    left join webhook_attempts a on a.delivery_id = d.id and a.attempt = d.attempts`;

/** Newest first, before a delivery's id. */
export async function listDeliveryRows(
  db: Queryable,
  args: {
    ownerId: string;
    webhookId: string;
    state?: DeliveryState | undefined;
    beforeId?: string | undefined;
    limit: number;
  },
): Promise<DeliveryListRow[]> {
  return db<DeliveryListRow[]>`
    ${withLast(db)}
     where d.owner_id = ${args.ownerId} and d.webhook_id = ${args.webhookId}
       ${args.state === undefined ? db`` : db`and d.state = ${args.state}`}
       ${args.beforeId === undefined ? db`` : db`and d.id < ${args.beforeId}`}
     order by d.id desc limit ${args.limit}`;
}

export async function findDelivery(
  db: Queryable,
  args: { ownerId: string; webhookId: string; id: string },
): Promise<DeliveryListRow | undefined> {
  const [row] = await db<DeliveryListRow[]>`
    ${withLast(db)}
     where d.owner_id = ${args.ownerId} and d.webhook_id = ${args.webhookId} and d.id = ${args.id}`;
  return row;
}

export async function attemptsOf(
  db: Queryable,
  args: { deliveryId: string },
): Promise<DeliveryAttemptRow[]> {
  return db<DeliveryAttemptRow[]>`
    select * from webhook_attempts where delivery_id = ${args.deliveryId} order by attempt`;
}

/** Who holds the token speaks to the endpoint, for so long; undefined when somebody else does. */
export async function leaseWebhook(
  tx: Tx,
  args: { ownerId: string; id: string; token: string; leaseMs: number },
): Promise<WebhookRow | undefined> {
  const [row] = await tx<WebhookRow[]>`
    update webhooks set lease_token = ${args.token},
           lease_until = clock() + make_interval(secs => ${args.leaseMs / 1_000})
     where owner_id = ${args.ownerId} and id = ${args.id}
       and (lease_until is null or lease_until <= clock() or lease_token = ${args.token}) returning *`;
  return row;
}

export async function leaseHeld(
  tx: Tx,
  args: { ownerId: string; id: string; token: string },
): Promise<WebhookRow | undefined> {
  const [row] = await tx<WebhookRow[]>`
    select * from webhooks where owner_id = ${args.ownerId} and id = ${args.id}
       and lease_token = ${args.token} for no key update`;
  return row;
}

export async function releaseLease(tx: Tx, args: { id: string; token: string }): Promise<boolean> {
  const done = await tx`
    update webhooks set lease_token = null, lease_until = null
     where id = ${args.id} and lease_token = ${args.token}`;
  return done.count === 1;
}

/**
 * The next ones that are due, each with a try begun. Not due again before the lease is over: who dies in
 * between gives them back by that.
 */
export async function beginTries(
  tx: Tx,
  args: { webhookId: string; which: 'all' | 'tests'; limit: number; leaseMs: number },
): Promise<DeliveryRow[]> {
  const rows = await tx<DeliveryRow[]>`
    with due as (
      select id from webhook_deliveries
       where webhook_id = ${args.webhookId} and state = 'pending' and next_try_at <= clock()
         ${args.which === 'all' ? tx`` : tx`and event_id is null`}
       order by next_try_at, id limit ${args.limit} for update skip locked)
    update webhook_deliveries d
       set tries = d.tries + 1, attempts = d.attempts + 1,
           next_try_at = clock() + make_interval(secs => ${args.leaseMs / 1_000})
      from due where d.id = due.id returning d.*`;
  if (rows.length === 0) return [];
  const begun = rows.map(({ id, ownerId, attempts }) => ({
    deliveryId: id,
    ownerId,
    attempt: attempts,
  }));
  await tx`insert into webhook_attempts ${tx(begun as never)}`;
  return rows.toSorted((a, b) => a.id.localeCompare(b.id));
}

export interface TryEnd {
  readonly deliveryId: string;
  readonly attempt: number;
  readonly durationMs: number;
  readonly status: number | null;
  readonly answer: string | null;
  readonly error: string | null;
}

export async function endTry(tx: Tx, end: TryEnd): Promise<void> {
  await tx`
    update webhook_attempts
       set ended_at = clock(), duration_ms = ${end.durationMs}, status = ${end.status},
           answer = ${end.answer}, error = ${end.error}
     where delivery_id = ${end.deliveryId} and attempt = ${end.attempt} and ended_at is null`;
}

/** The delivery of a try that is its newest; undefined when it went on without it. */
export async function lockTried(
  tx: Tx,
  args: { deliveryId: string; attempt: number },
): Promise<DeliveryRow | undefined> {
  const [row] = await tx<DeliveryRow[]>`
    select * from webhook_deliveries
     where id = ${args.deliveryId} and attempts = ${args.attempt} and state = 'pending' for no key update`;
  return row;
}

/** Fenced by the try that it speaks of. */
export async function finishDelivery(
  tx: Tx,
  args: { id: string; attempt: number; state: 'delivered' | 'failed' },
): Promise<boolean> {
  const done = await tx`
    update webhook_deliveries set state = ${args.state}, finished_at = clock()
     where id = ${args.id} and attempts = ${args.attempt} and state = 'pending'`;
  return done.count === 1;
}

/** Due again after the pause, a quarter more or less by chance; fenced by the try that it speaks of. */
export async function tryAgain(
  tx: Tx,
  args: { id: string; attempt: number; pauseMs: number },
): Promise<boolean> {
  const done = await tx`
    update webhook_deliveries
       set next_try_at = clock() + make_interval(secs => ${args.pauseMs / 1_000} * (0.75 + random() * 0.5))
     where id = ${args.id} and attempts = ${args.attempt} and state = 'pending'`;
  return done.count === 1;
}

/** How the endpoint does after what was tried; a pause is stretched or shrunk by chance. */
export async function noteHealth(
  tx: Tx,
  args: { id: string; failures: number; pauseMs: number; delivered: boolean },
): Promise<void> {
  const { failures, pauseMs } = args;
  await tx`
    update webhooks
       set failures = ${failures},
           failing_since = case when ${failures} = 0 then null when ${args.delivered} then clock()
             else coalesce(failing_since, clock()) end,
           paused_until = case when ${pauseMs} = 0 then null
             else clock() + make_interval(secs => ${pauseMs / 1_000} * (0.75 + random() * 0.5)) end,
           last_delivered_at = case when ${args.delivered} then clock() else last_delivered_at end
     where id = ${args.id}`;
}

/** When the endpoint has to be looked at next; null when nothing waits for it. */
export async function nextDueAt(db: Queryable, args: { webhookId: string }): Promise<Date | null> {
  const [row] = await db<{ at: Date | null }[]>`
    select min(case when d.event_id is null then d.next_try_at
                    else greatest(d.next_try_at, w.paused_until) end) as at
      from webhooks w join webhook_deliveries d on d.webhook_id = w.id
     where w.id = ${args.webhookId} and d.state = 'pending' and (w.status = 'active' or d.event_id is null)`;
  return row?.at ?? null;
}
