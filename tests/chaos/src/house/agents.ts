// Which agents are alive, by their own ledger and the process table.
import { readFileSync } from 'node:fs';
import type { LedgerFeed } from './ledger-feed.ts';

export interface LiveAgent {
  readonly pid: number;
  readonly task: string;
  readonly attempt: number;
}

/** Scripted agents that began, did not say that they ended, and still run our program; oldest first. */
export function liveAgents(ledger: LedgerFeed): LiveAgent[] {
  const begun = new Map<number, LiveAgent>();
  for (const { event, pid, task, attempt } of ledger.lines()) {
    if (event === 'start') begun.set(pid, { pid, task, attempt });
    if (event === 'exit') begun.delete(pid);
  }
  return [...begun.values()].filter(({ pid }) => isAgent(pid));
}

function isAgent(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('scripted');
  } catch {
    return false;
  }
}
