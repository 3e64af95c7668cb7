// Which agents are alive, by their own ledger and the process table.
import { readFileSync } from 'node:fs';
import { readLedger } from './ledger.ts';

/**
 * More restorations than five in a quarter of an hour are stopped on purpose, for a person to look: a run
 * that kills one task's agents more often than this would only prove that.
 */
const mostKillsPerTask = 3;

/** Pids of scripted agents that began, did not say that they ended, and still run our program. */
export function liveAgents(ledger: string): number[] {
  const begun = new Set<number>();
  for (const line of readLedger(ledger)) {
    if (line.event === 'start' && line.attempt <= mostKillsPerTask) begun.add(line.pid);
    if (line.event === 'exit') begun.delete(line.pid);
  }
  return [...begun].filter(isAgent);
}

function isAgent(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('scripted');
  } catch {
    return false;
  }
}
