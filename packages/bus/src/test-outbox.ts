/**
 * An outbox in a file, so that it survives the crash of the process that relays it. For tests of the relay
 * apart from Postgres; the real one is tested with the engine.
 *
 * Law: the same promises as the port: a lease that runs out, marks that may come twice.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { OutboxPort, OutboxRow } from './outbox-relay.ts';

interface Kept extends OutboxRow {
  leasedUntil: number;
  published: boolean;
  lastError: string | undefined;
}

export interface FileOutbox extends OutboxPort {
  insert(rows: readonly Omit<OutboxRow, 'id'>[]): void;
  rows(): readonly Kept[];
}

/** Rows live in `file`; a claim holds for `leaseMs`. */
export function fileOutbox(file: string, leaseMs: number): FileOutbox {
  const read = (): Kept[] => {
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as Kept[];
    } catch {
      return [];
    }
  };
  const write = (rows: readonly Kept[]): void => {
    writeFileSync(`${file}.new`, JSON.stringify(rows));
    renameSync(`${file}.new`, file);
  };
  const change = (ids: readonly string[], to: Partial<Kept>): void =>
    write(read().map((row) => (ids.includes(row.id) ? { ...row, ...to } : row)));

  return {
    insert(rows) {
      const kept = read();
      const fresh = rows.map((row, index) => ({
        ...row,
        id: String(kept.length + index + 1),
        leasedUntil: 0,
        published: false,
        lastError: undefined,
      }));
      write([...kept, ...fresh]);
    },
    rows: read,
    async claim(limit) {
      const due = read().filter((row) => !row.published && row.leasedUntil < Date.now());
      const claimed = due.slice(0, limit);
      change(
        claimed.map((row) => row.id),
        { leasedUntil: Date.now() + leaseMs },
      );
      return claimed;
    },
    async published(ids) {
      change(ids, { published: true });
    },
    async failed(ids, error) {
      change(ids, { leasedUntil: 0, lastError: error });
    },
  };
}
