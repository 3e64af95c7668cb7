/** Waits: rows that say who waits for what. */
import type { WaitKind } from '@makima/domain/wait';
import type { TaskStatus } from '@makima/domain/task';
import type { Queryable, Sql, Tx } from '../client.ts';
import type { WaitRow } from '../rows.ts';

export async function insertWait(
  tx: Tx,
  row: {
    ownerId: string;
    contractId: string | null;
    taskId: string | null;
    kind: WaitKind;
    targetIds: readonly string[];
    until: Date | null;
  },
): Promise<WaitRow> {
  const [made] = await tx<WaitRow[]>`
    insert into waits (owner_id, contract_id, task_id, kind, target_ids, until)
    values (${row.ownerId}, ${row.contractId}, ${row.taskId}, ${row.kind}, ${row.targetIds as string[]}::uuid[], ${row.until}) returning *`;
  return made as WaitRow;
}

export async function findWait(
  db: Queryable,
  args: { ownerId: string; id: string },
): Promise<WaitRow | undefined> {
  const [row] = await db<
    WaitRow[]
  >`select * from waits where owner_id = ${args.ownerId} and id = ${args.id}`;
  return row;
}

/** What this task waits for already: the very same tasks in the same way, without a time. */
export async function sameWait(
  tx: Tx,
  args: { taskId: string; kind: WaitKind; targetIds: readonly string[] },
): Promise<WaitRow | undefined> {
  const targets = args.targetIds as string[];
  const [row] = await tx<WaitRow[]>`
    select * from waits where task_id = ${args.taskId} and state = 'open' and kind = ${args.kind} and until is null
       and target_ids @> ${targets}::uuid[] and target_ids <@ ${targets}::uuid[]
     order by id limit 1`;
  return row;
}

/** Open waits that name this task, question or other thing; locked in the order of their ids. */
export async function openWaitsFor(
  tx: Tx,
  args: { ownerId: string; targetId: string },
): Promise<WaitRow[]> {
  return tx<WaitRow[]>`
    select * from waits where owner_id = ${args.ownerId} and state = 'open' and target_ids @> array[${args.targetId}::uuid]
     order by id for update`;
}

export async function openWaitsOf(db: Queryable, args: { taskId: string }): Promise<WaitRow[]> {
  return db<
    WaitRow[]
  >`select * from waits where task_id = ${args.taskId} and state = 'open' order by id`;
}

export async function endWait(
  tx: Tx,
  args: { id: string; state: 'satisfied' | 'timed_out' | 'cancelled' },
): Promise<boolean> {
  const done =
    await tx`update waits set state = ${args.state}, ended_at = clock() where id = ${args.id} and state = 'open'`;
  return done.count === 1;
}

/** With `attempt`, only while that is the waiter's present one. */
export async function seeWait(
  tx: Queryable,
  args: { id: string; attempt?: number | undefined },
): Promise<void> {
  await tx`
    update waits w set seen_at = coalesce(w.seen_at, clock()) where w.id = ${args.id} ${
      args.attempt === undefined
        ? tx``
        : tx`and exists (select 1 from tasks t where t.id = w.task_id and t.current_attempt = ${args.attempt})`
    }`;
}

export async function dueWaits(sql: Sql, args: { limit: number }): Promise<WaitRow[]> {
  return sql<
    WaitRow[]
  >`select * from waits where state = 'open' and until is not null and until < clock() order by until limit ${args.limit}`;
}

/** Waits of this task whose time is over and of which it has not heard; they count as told from here on. */
export async function tellTimeouts(tx: Tx, args: { taskId: string }): Promise<WaitRow[]> {
  return tx<WaitRow[]>`
    update waits set seen_at = clock()
     where task_id = ${args.taskId} and state = 'timed_out' and seen_at is null returning *`;
}

/** The end of each task that these waited for was told: they count as seen. Cancelled tasks are not told of. */
export async function seeTold(tx: Tx, args: { taskId: string }): Promise<void> {
  await tx`
    update waits w set seen_at = clock()
     where w.task_id = ${args.taskId} and w.state = 'satisfied' and w.seen_at is null
       and not exists (select 1 from tasks t where t.id = any(w.target_ids) and t.status = 'cancelled')`;
}

export async function statusesOf(
  db: Queryable,
  args: { ownerId: string; ids: readonly string[] },
): Promise<Map<string, TaskStatus>> {
  const rows = await db<{ id: string; status: TaskStatus }[]>`
    select id, status from tasks where owner_id = ${args.ownerId} and id = any(${args.ids as string[]}::uuid[])`;
  return new Map(rows.map((row) => [row.id, row.status]));
}

export async function openWaitsOfTasks(
  db: Queryable,
  args: { ownerId: string; taskIds: readonly string[] },
): Promise<WaitRow[]> {
  return db<WaitRow[]>`
    select * from waits where owner_id = ${args.ownerId} and state = 'open'
       and task_id = any(${args.taskIds as string[]}::uuid[]) order by id`;
}
