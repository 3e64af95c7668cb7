// The ledger of the agents, read as it grows.
// Law: a line is read once; half a line is left for the next look.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { LedgerLine } from '../ledger.ts';

export interface LedgerFeed {
  readonly path: string;
  /** All lines up to now, oldest first. */
  lines(): readonly LedgerLine[];
  /** The newest attempt of a task that has begun; 0 when none has. */
  attemptOf(task: string): number;
  /** The beginning of its newest attempt. */
  startOf(task: string): LedgerLine | undefined;
}

export function ledgerFeed(path: string): LedgerFeed {
  const known: LedgerLine[] = [];
  const newest = new Map<string, LedgerLine>();
  let offset = 0;
  let rest = '';
  const refresh = (): void => {
    const fresh = readFrom(path, offset);
    if (fresh.length === 0) return;
    offset += fresh.length;
    const pieces = (rest + fresh.toString('utf8')).split('\n');
    rest = pieces.pop() ?? '';
    for (const piece of pieces) {
      if (piece === '') continue;
      const line = JSON.parse(piece) as LedgerLine;
      known.push(line);
      if (line.event === 'start' && line.attempt > (newest.get(line.task)?.attempt ?? 0))
        newest.set(line.task, line);
    }
  };
  return {
    path,
    lines() {
      refresh();
      return known;
    },
    attemptOf(task) {
      refresh();
      return newest.get(task)?.attempt ?? 0;
    },
    startOf(task) {
      refresh();
      return newest.get(task);
    },
  };
}

function readFrom(path: string, offset: number): Buffer {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return Buffer.alloc(0);
  }
  try {
    const length = fstatSync(file).size - offset;
    const buffer = Buffer.alloc(Math.max(0, length));
    let got = 0;
    while (got < buffer.length) {
      const read = readSync(file, buffer, got, buffer.length - got, offset + got);
      if (read === 0) break;
      got += read;
    }
    // A character that is written in two pieces would be read as two: a line ends before the last break.
    const end = buffer.subarray(0, got).lastIndexOf(0x0a);
    return buffer.subarray(0, end + 1);
  } finally {
    closeSync(file);
  }
}
