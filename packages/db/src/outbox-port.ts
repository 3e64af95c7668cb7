/**
 * The outbox as a relay wants it: rows leased to one process, ids as text, every call with a deadline.
 *
 * Law: what one process leased, only that process marks; a lease that runs out gives the row back.
 */
import { randomUUID } from 'node:crypto';
import type { JobName } from '@makima/contracts/jobs';
import type { Database } from './client.ts';
import { claimOutbox, markFailed, markPublished } from './repo/outbox.ts';
import { reading } from './tx.ts';

export interface LeasedRow {
  readonly id: string;
  readonly queue: JobName;
  readonly jobId: string;
  readonly payload: unknown;
}

export interface LeasedOutbox {
  claim(limit: number): Promise<readonly LeasedRow[]>;
  published(ids: readonly string[]): Promise<void>;
  failed(ids: readonly string[], error: string): Promise<void>;
}

/** The outbox for the relay of this process. */
export function leasedOutbox(database: Database): LeasedOutbox {
  const { sql } = database;
  const leaseOwner = randomUUID();
  return {
    async claim(limit) {
      const rows = await reading(database, claimOutbox(sql, { leaseOwner, limit }));
      return rows
        .toSorted((one, other) => one.id - other.id)
        .map((row) => ({ ...row, id: String(row.id) }));
    },
    published: (ids) => reading(database, markPublished(sql, { leaseOwner, ids: ids.map(Number) })),
    failed: (ids, error) =>
      reading(database, markFailed(sql, { leaseOwner, ids: ids.map(Number), error })),
  };
}
