/**
 * The agent's own account of what it did, for tests that kill everything and then ask who did what how often.
 * One JSON line per event, appended to the file that MAKIMA_LEDGER names.
 *
 * Law: one write per line with O_APPEND, so that many agents share a file; it says what happened in this
 * process and knows nothing of what others remember.
 */
import { appendFileSync } from 'node:fs';

export interface Ledger {
  /** `n` counts the lines of this process from 1. */
  note(event: string, facts?: Readonly<Record<string, unknown>>): void;
}

export function ledger(
  path: string | undefined,
  run: {
    readonly task: string;
    readonly attempt: number;
    readonly run: string;
    readonly session: string;
  },
): Ledger {
  let n = 0;
  return {
    note(event, facts = {}) {
      if (path === undefined || path === '') return;
      n += 1;
      const line = { event, ...run, pid: process.pid, at: Date.now(), n, ...facts };
      appendFileSync(path, `${JSON.stringify(line)}\n`);
    },
  };
}
