/** Answers by idempotency key: the row is inserted first in the transaction of its effect. */
import type { Queryable, Tx } from '../client.ts';
import { sqlState } from '../tx.ts';

export type IdempotencyBegin =
  | { readonly kind: 'new' }
  | { readonly kind: 'done'; readonly response: unknown }
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'in_flight' };

/**
 * A concurrent call with the same key waits here until the first has committed or failed, but not longer than for
 * any lock; the transaction is worth nothing after `in_flight`. An expired key is new.
 */
export async function beginIdempotent(
  tx: Tx,
  args: { ownerId: string; key: string; fingerprint: string; keep: 'days' | 'forever'; now: Date },
): Promise<IdempotencyBegin> {
  const made = await tx`
    insert into idempotency_keys (owner_id, key, fingerprint, expires_at)
    values (${args.ownerId}, ${args.key}, ${args.fingerprint}, ${args.keep === 'forever' ? null : new Date(args.now.getTime() + keptMs)})
    on conflict (owner_id, key) do update
      set fingerprint = excluded.fingerprint, response = null, created_at = clock(), expires_at = excluded.expires_at
      where idempotency_keys.expires_at <= clock()`.catch((error: unknown) => {
    if (sqlState(error) === lockNotAvailable) return 'in_flight' as const;
    throw error;
  });
  if (made === 'in_flight') return { kind: 'in_flight' };
  if (made.count === 1) return { kind: 'new' };
  const [row] = await tx<{ fingerprint: string; response: unknown }[]>`
    select fingerprint, response from idempotency_keys where owner_id = ${args.ownerId} and key = ${args.key}`;
  if (row === undefined || row.fingerprint !== args.fingerprint) return { kind: 'mismatch' };
  return { kind: 'done', response: row.response };
}

/**
 * Whether nobody has taken this key before; it stays taken until it is worth nothing anyway. Of two at once the
 * second waits for the first.
 */
export async function takeOnce(
  tx: Tx,
  args: { ownerId: string; key: string; expiresAt: Date },
): Promise<boolean> {
  const taken = await tx`
    insert into idempotency_keys (owner_id, key, fingerprint, expires_at)
    values (${args.ownerId}, ${args.key}, '', ${args.expiresAt}) on conflict (owner_id, key) do nothing`;
  return taken.count === 1;
}

/** Whether a key has its answer, for work of several transactions that keeps its answer in the last. */
export async function isAnswered(
  db: Queryable,
  args: { ownerId: string; key: string },
): Promise<boolean> {
  const rows = await db`
    select 1 from idempotency_keys where owner_id = ${args.ownerId} and key = ${args.key}
       and (expires_at is null or expires_at > clock())`;
  return rows.length > 0;
}

export async function finishIdempotent(
  tx: Tx,
  args: { ownerId: string; key: string; response: unknown },
): Promise<void> {
  await tx`update idempotency_keys set response = ${tx.json((args.response ?? null) as never)}
            where owner_id = ${args.ownerId} and key = ${args.key}`;
}

/** SQLSTATE of a lock that was not to be had in time. */
const lockNotAvailable = '55P03';
const keptMs = 72 * 3_600_000;
