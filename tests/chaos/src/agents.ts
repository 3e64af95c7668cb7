// Which agents are alive, by their own ledger and the process table.
import { readFileSync } from 'node:fs';
import { readLedger } from './ledger.ts';

/** Pids of scripted agents that began, did not say that they ended, and still run our program. */
export function liveAgents(ledger: string): number[] {
  const begun = new Set<number>();
  for (const line of readLedger(ledger)) {
    if (line.event === 'start') begun.add(line.pid);
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
