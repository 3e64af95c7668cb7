/** Endpoints that are told of events: who they are, up to where they were told, how they do. */
import type { WebhookStatus } from '@makima/domain/webhook';
import type { Queryable, Sql, Tx } from '../client.ts';
import type { WebhookRow, WebhookSecretRow } from '../rows.ts';
import type { EventPosition, EventRow } from './events.ts';

export type NewWebhook = Pick<
  WebhookRow,
  'ownerId' | 'kind' | 'name' | 'url' | 'topic' | 'eventTypes' | 'contractIds'
>;

export async function insertWebhook(
  tx: Tx,
  row: NewWebhook,
  from: EventPosition,
): Promise<WebhookRow> {
  const [made] = await tx<WebhookRow[]>`
    insert into webhooks ${tx({ ...row, cursorXid: from.xid, cursorId: from.id } as never)} returning *`;
  return made as WebhookRow;
}

/** An endpoint with what waits for it and which secrets sign. */
export interface WebhookInFull extends WebhookRow {
  readonly pending: number;
  readonly secrets: readonly { readonly createdAt: string; readonly expiresAt: string | null }[];
}

const inFull = (db: Queryable) => db`
  select w.*,
         (select count(*)::int from webhook_deliveries d where d.webhook_id = w.id and d.state = 'pending') as pending,
         (select coalesce(jsonb_agg(jsonb_build_object('createdAt', s.created_at, 'expiresAt', s.expires_at)
                            order by s.created_at desc), '[]')
            from webhook_secrets s
           where s.webhook_id = w.id and (s.expires_at is null or s.expires_at > clock())) as secrets
    from webhooks w`;

export async function webhooksOf(
  db: Queryable,
  args: { ownerId: string },
): Promise<WebhookInFull[]> {
  return db<WebhookInFull[]>`${inFull(db)} where w.owner_id = ${args.ownerId} order by w.id`;
}

export async function findWebhook(
  db: Queryable,
  args: { ownerId: string; id: string },
): Promise<WebhookInFull | undefined> {
  const [row] = await db<
    WebhookInFull[]
  >`${inFull(db)} where w.owner_id = ${args.ownerId} and w.id = ${args.id}`;
  return row;
}

export async function lockWebhook(
  tx: Tx,
  args: { ownerId: string; id: string },
): Promise<WebhookRow | undefined> {
  const [row] = await tx<WebhookRow[]>`
    select * from webhooks where owner_id = ${args.ownerId} and id = ${args.id} for no key update`;
  return row;
}

export async function countWebhooks(db: Queryable, args: { ownerId: string }): Promise<number> {
  const [row] = await db<{ n: number }[]>`
    select count(*)::int as n from webhooks where owner_id = ${args.ownerId}`;
  return row?.n ?? 0;
}

/** Fenced by the version that was read. */
export async function changeWebhook(
  tx: Tx,
  args: {
    id: string;
    version: number;
    set: Partial<Pick<WebhookRow, 'name' | 'url' | 'eventTypes' | 'contractIds'>>;
  },
): Promise<boolean> {
  const done = await tx`
    update webhooks set ${tx({ ...args.set, version: args.version + 1 } as never)}
     where id = ${args.id} and version = ${args.version}`;
  return done.count === 1;
}

/** Fenced by the status that it leaves. `from`: its events count from there, and what it failed is forgotten. */
export async function setWebhookStatus(
  tx: Tx,
  args: {
    id: string;
    from: WebhookStatus;
    to: WebhookStatus;
    reason: string | null;
    cursor?: EventPosition;
  },
): Promise<boolean> {
  const afresh =
    args.cursor === undefined
      ? {}
      : {
          cursorXid: args.cursor.xid,
          cursorId: args.cursor.id,
          failures: 0,
          failingSince: null,
          pausedUntil: null,
        };
  const done = await tx`
    update webhooks set ${tx({ ...afresh, status: args.to, statusReason: args.reason } as never)},
           status_changed_at = clock()
     where id = ${args.id} and status = ${args.from}`;
  return done.count === 1;
}

export async function deleteWebhookRow(
  tx: Tx,
  args: { ownerId: string; id: string },
): Promise<WebhookRow | undefined> {
  const [row] = await tx<WebhookRow[]>`
    delete from webhooks where owner_id = ${args.ownerId} and id = ${args.id} returning *`;
  return row;
}

export async function insertSecret(
  tx: Tx,
  row: Pick<WebhookSecretRow, 'ownerId' | 'webhookId' | 'secret'>,
): Promise<void> {
  await tx`insert into webhook_secrets ${tx(row as never)}`;
}

/** The present secret signs for so long still; one from an earlier rotation ends now. */
export async function retireSecrets(
  tx: Tx,
  args: { webhookId: string; overlapSeconds: number },
): Promise<void> {
  await tx`delete from webhook_secrets where webhook_id = ${args.webhookId} and expires_at is not null`;
  await tx`
    update webhook_secrets set expires_at = clock() + make_interval(secs => ${args.overlapSeconds})
     where webhook_id = ${args.webhookId} and expires_at is null`;
}

/** Those that sign now, the newest first. */
export async function liveSecrets(db: Queryable, args: { webhookId: string }): Promise<string[]> {
  const rows = await db<{ secret: string }[]>`
    select secret from webhook_secrets
     where webhook_id = ${args.webhookId} and (expires_at is null or expires_at > clock())
     order by created_at desc, id desc`;
  return rows.map((row) => row.secret);
}

/** Set aside, the longest first: one incident each. */
export async function quarantinedWebhooks(
  db: Queryable,
  args: { ownerId: string },
): Promise<WebhookRow[]> {
  return db<WebhookRow[]>`
    select * from webhooks where owner_id = ${args.ownerId} and status = 'quarantined' order by status_changed_at`;
}

/** Active endpoints whose owners have events that are not looked at yet. */
export async function webhooksBehind(sql: Sql, args: { limit: number }): Promise<WebhookRow[]> {
  return sql<WebhookRow[]>`
    select w.* from webhooks w
     where w.status = 'active' and exists (
       select 1 from events e
        where e.owner_id = w.owner_id and (e.xid, e.id) > (w.cursor_xid, w.cursor_id)
          and e.xid < pg_snapshot_xmin(pg_current_snapshot()))
     order by w.id limit ${args.limit}`;
}

/** Locked while its events become deliveries; undefined when somebody else is at it, or it is not active. */
export async function takeWebhookBehind(
  tx: Tx,
  args: { id: string },
): Promise<WebhookRow | undefined> {
  const [row] = await tx<WebhookRow[]>`
    select * from webhooks where id = ${args.id} and status = 'active' for no key update skip locked`;
  return row;
}

export async function moveCursor(tx: Tx, args: { id: string; to: EventPosition }): Promise<void> {
  await tx`
    update webhooks set cursor_xid = ${args.to.xid}::xid8, cursor_id = ${args.to.id} where id = ${args.id}`;
}

/** Events of a span that an endpoint wants, the oldest first. */
export async function eventsBetween(
  db: Queryable,
  args: {
    webhook: Pick<WebhookRow, 'ownerId' | 'eventTypes' | 'contractIds'>;
    since: Date;
    until: Date;
    limit: number;
  },
): Promise<EventRow[]> {
  const { ownerId, eventTypes, contractIds } = args.webhook;
  return db<EventRow[]>`
    select id, xid::text as xid, owner_id, contract_id, seq, type, actor, task_id, data, at
      from events
     where owner_id = ${ownerId} and at >= ${args.since} and at <= ${args.until}
       ${eventTypes.includes('*') ? db`` : db`and type = any(${eventTypes})`}
       ${contractIds.length === 0 ? db`` : db`and contract_id = any(${contractIds}::uuid[])`}
     order by events.xid, events.id limit ${args.limit}`;
}
