/** Events: appended in one statement a transaction, with a gapless number per contract. */
import type { Actor, EventType } from '@makima/contracts/entity/event';
import type { ContractStatus } from '@makima/domain/contract';
import type { Queryable, Tx } from '../client.ts';

export interface NewEvent {
  readonly ownerId: string;
  readonly contractId: string | null;
  readonly taskId: string | null;
  readonly type: EventType;
  readonly actor: Actor;
  readonly data: Record<string, unknown>;
}

export interface EventRow extends NewEvent {
  readonly id: number;
  readonly xid: string;
  readonly seq: number | null;
  readonly at: Date;
}

/**
 * Append events of one transaction. Each contract's cursor is raised once by the number of its events,
 * in the order of contract ids, so that two transactions over several contracts cannot deadlock.
 *
 * A transaction that began early and came late to the cursor takes the place of the one before it, so that
 * readers of all contracts see each contract's events in the order of their numbers. Nobody has read beyond
 * that place: the lower number of the late transaction held every reader back until now.
 */
export async function appendEvents(tx: Tx, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  const list = tx.json(
    events.map((event, i) => ({
      i,
      owner_id: event.ownerId,
      contract_id: event.contractId,
      task_id: event.taskId,
      type: event.type,
      actor: event.actor,
      data: event.data,
    })) as never,
  );
  await tx`
    with given as (
      select *, row_number() over (partition by contract_id order by i) as nth
        from jsonb_to_recordset(${list}) as g(i int, owner_id uuid, contract_id uuid, task_id uuid, type text, actor jsonb, data jsonb)
    ), counted as (
      select contract_id, count(*) as n from given where contract_id is not null group by contract_id order by contract_id
    ), raised as (
      update contract_cursors c
         set seq = c.seq + counted.n, last_xid = greatest(c.last_xid, pg_current_xact_id())
        from counted where c.contract_id = counted.contract_id
      returning c.contract_id, c.seq - counted.n as before, c.last_xid
    )
    insert into events (owner_id, contract_id, task_id, type, actor, data, seq, xid)
    select g.owner_id, g.contract_id, g.task_id, g.type, g.actor, g.data, r.before + g.nth,
           coalesce(r.last_xid, pg_current_xact_id())
      from given g left join raised r on r.contract_id = g.contract_id
     order by g.i`;
}

/** Whether the owner was told that the gate is met at this version of the contract. */
export async function readyTold(
  db: Queryable,
  args: { contractId: string; version: number },
): Promise<boolean> {
  const rows = await db`
    select 1 from events where contract_id = ${args.contractId} and type = 'contract.ready'
       and data ->> 'version' = ${String(args.version)} limit 1`;
  return rows.length > 0;
}

export interface EventPosition {
  readonly xid: string;
  readonly id: number;
}

/**
 * Events of an owner after a position, oldest first. Only those below the snapshot's xmin are shown, so
 * that a slow transaction with a lower number can never appear behind the reader's back.
 */
export async function eventsAfter(
  db: Queryable,
  args: {
    ownerId: string;
    after: EventPosition;
    contractId?: string | undefined;
    /** Only of these kinds. */
    types?: readonly EventType[];
    limit: number;
  },
): Promise<EventRow[]> {
  return db<EventRow[]>`
    select id, xid::text as xid, owner_id, contract_id, seq, type, actor, task_id, data, at
      from events
     where owner_id = ${args.ownerId}
       and (xid, id) > (${args.after.xid}::xid8, ${args.after.id})
       and xid < pg_snapshot_xmin(pg_current_snapshot())
       ${args.contractId === undefined ? db`` : db`and contract_id = ${args.contractId}`}
       ${args.types === undefined ? db`` : db`and type = any(${args.types as EventType[]})`}
     order by events.xid, events.id limit ${args.limit}`;
}

/** The newest events of these kinds among the owner's last ones, newest first. */
export async function newestEvents(
  db: Queryable,
  args: { ownerId: string; types: readonly EventType[]; among: number; limit: number },
): Promise<EventRow[]> {
  return db<EventRow[]>`
    select * from (
      select id, xid::text as xid, owner_id, contract_id, seq, type, actor, task_id, data, at
        from events where owner_id = ${args.ownerId} and xid < pg_snapshot_xmin(pg_current_snapshot())
       order by events.xid desc, events.id desc limit ${args.among}) newest
     where type = any(${args.types as EventType[]})
     order by newest.id desc limit ${args.limit}`;
}

/** The status that each contract had just before one of its events; those that had changed none are missing. */
export async function statusesBefore(
  db: Queryable,
  args: { places: readonly { contractId: string; seq: number }[] },
): Promise<ReadonlyMap<string, ContractStatus>> {
  if (args.places.length === 0) return new Map();
  const rows = await db<{ contractId: string; status: ContractStatus }[]>`
    select p.contract_id, s.status
      from unnest(${args.places.map((place) => place.contractId)}::uuid[],
                  ${args.places.map((place) => place.seq)}::bigint[]) as p(contract_id, seq),
           lateral (select e.data ->> 'to' as status from events e
                     where e.contract_id = p.contract_id and e.seq < p.seq and e.type = 'contract.status_changed'
                     order by e.seq desc limit 1) s`;
  return new Map(rows.map((row) => [row.contractId, row.status]));
}

/** Where a reader begins that wants only what comes from now on. */
export async function newestPosition(db: Queryable): Promise<EventPosition> {
  const [row] = await db<
    { xid: string }[]
  >`select pg_snapshot_xmin(pg_current_snapshot())::text as xid`;
  return { xid: row?.xid ?? '0', id: 0 };
}

/** The name of the history that cursors belong to; another one after the store was restored. */
export async function timelineOf(db: Queryable): Promise<string> {
  const [row] = await db<{ value: string }[]>`select value from meta where key = 'timeline'`;
  return row?.value ?? '';
}
