/** Locks that are not a row's: by name, for the length of a transaction. */
import type { Queryable, Sql, Tx } from '../client.ts';

/** One placement at a time per owner. */
export async function lockOwnerForPlacement(tx: Tx, args: { ownerId: string }): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtextextended(${`placement:${args.ownerId}`}, 0))`;
}

/** One name at a time is chosen per owner, so that two equal names get two slugs. */
export async function lockOwnerForNames(tx: Tx, args: { ownerId: string }): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtextextended(${`names:${args.ownerId}`}, 0))`;
}

/**
 * Who begins to wait for the end of tasks and who ends them take turns, so that no end is missed. Not the
 * tasks' rows: those belong to whoever assigns them.
 */
export async function lockEnds(tx: Tx, args: { taskIds: readonly string[] }): Promise<void> {
  if (args.taskIds.length === 0) return;
  const ids = [...new Set(args.taskIds)].toSorted();
  await tx`select pg_advisory_xact_lock(hashtextextended('end:' || id, 0)) from unnest(${ids}::text[]) as id`;
}

/** Who sends to an agent and who starts it take turns, so that no message falls between two attempts. */
export async function lockMailbox(tx: Tx, args: { taskId: string }): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtextextended(${`mailbox:${args.taskId}`}, 0))`;
}

/** Run `work` if no other process does it now; answers whether it ran. */
export async function asLeader(
  sql: Sql,
  name: string,
  work: () => Promise<void>,
): Promise<boolean> {
  const held = await sql.reserve();
  try {
    const [row] = await held<
      { got: boolean }[]
    >`select pg_try_advisory_lock(hashtextextended(${`leader:${name}`}, 0)) as got`;
    if (row?.got !== true) return false;
    try {
      await work();
    } finally {
      await held`select pg_advisory_unlock(hashtextextended(${`leader:${name}`}, 0))`;
    }
    return true;
  } finally {
    held.release();
  }
}

/** One first start at a time. */
export async function lockInstallation(tx: Tx): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtextextended('installation', 0))`;
}

/** A UUIDv7 of the database, for a row whose id must be known before it is inserted. */
export async function newId(db: Queryable): Promise<string> {
  const [row] = await db<{ id: string }[]>`select uuidv7() as id`;
  if (row === undefined) throw new Error('uuidv7() gave nothing');
  return row.id;
}
