// The agents' own account (MAKIMA_LEDGER), which knows nothing of the server: the oracle outside.
import { readFileSync } from 'node:fs';

export interface LedgerLine {
  readonly event: string;
  readonly task: string;
  readonly attempt: number;
  readonly pid: number;
  readonly at: number;
  readonly n: number;
  readonly text?: string;
}

export function readLedger(path: string): LedgerLine[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LedgerLine);
}

/** At most one start per (task, attempt), and no older attempt does anything after a newer one began. */
export function checkLedger(lines: readonly LedgerLine[]): string[] {
  const broken: string[] = [];
  const starts = new Map<string, LedgerLine>();
  const newest = new Map<string, LedgerLine>();
  for (const line of lines.toSorted((a, b) => a.at - b.at)) {
    const key = `${line.task} attempt ${line.attempt}`;
    if (line.event === 'start') {
      if (starts.has(key))
        broken.push(
          `doubled: ${key} was started twice (pids ${starts.get(key)?.pid}, ${line.pid})`,
        );
      starts.set(key, line);
      const before = newest.get(line.task);
      if (before === undefined || line.attempt > before.attempt) newest.set(line.task, line);
      continue;
    }
    const began = newest.get(line.task);
    if (began !== undefined && began.attempt > line.attempt) {
      broken.push(`doubled: ${key} did ${line.event} after attempt ${began.attempt} had begun`);
    }
  }
  return broken;
}
