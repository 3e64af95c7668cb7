// What the scripted agents themselves say of what they did (MAKIMA_LEDGER), and their processes.
// Why: the ledger knows nothing of the server, so it can contradict it.
// Law: a process is ended only by the pid that the ledger or the daemon gave for it.
import { readFileSync } from 'node:fs';
import { readLedger, type LedgerLine } from '@makima/test-chaos/ledger';
import { expect } from 'vitest';
import { eventually } from './patience.ts';

/** Lines of the ledger with the facts of their events. */
export interface AgentLine extends LedgerLine {
  readonly run: string;
  readonly session: string;
  /** Of `start`: a new conversation or a resumed one. */
  readonly mode?: 'new' | 'resume';
  /** Of `tool`. */
  readonly name?: string;
  readonly toolId?: string;
}

interface WithLedger {
  readonly ledger: string;
}

/** The lines of one agent in the order in which it wrote them. */
export function linesOf({ ledger }: WithLedger, taskId: string, event?: string): AgentLine[] {
  return (readLedger(ledger) as AgentLine[]).filter(
    (line) => line.task === taskId && (event === undefined || line.event === event),
  );
}

/** The first line of an agent's that fits, as soon as it is written. */
export async function untilLine(
  house: WithLedger,
  taskId: string,
  fits: (line: AgentLine) => boolean,
): Promise<AgentLine> {
  const lines = await eventually(
    () => linesOf(house, taskId),
    (all) => all.some(fits),
    { what: `a line of the agent of ${taskId}` },
  );
  const found = lines.find(fits);
  if (found === undefined) throw new Error('the ledger changed its mind');
  return found;
}

/** The agent's process of this attempt, once it has begun. */
export async function pidOf(house: WithLedger, taskId: string, attempt: number): Promise<number> {
  const fits = (line: AgentLine): boolean => line.event === 'start' && line.attempt === attempt;
  return (await untilLine(house, taskId, fits)).pid;
}

export function killNow(pid: number): void {
  process.kill(pid, 'SIGKILL');
}

/** Whether the process is there and more than a memory of its parent's. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** One start for each of these attempts, each of its own process, all of one conversation. */
export function expectAttempts(house: WithLedger, taskId: string, attempts: number): AgentLine[] {
  const starts = linesOf(house, taskId, 'start');
  expect(starts.map(({ attempt, mode }) => [attempt, mode])).toEqual(
    Array.from({ length: attempts }, (_, index) => [index + 1, index === 0 ? 'new' : 'resume']),
  );
  expect(new Set(starts.map(({ session }) => session)).size).toBe(1);
  expect(new Set(starts.map(({ pid }) => pid)).size).toBe(attempts);
  return starts;
}

/** The ids under which an agent called a tool, by attempt. */
export function toolIds(house: WithLedger, taskId: string, name: string): Map<number, string[]> {
  const ids = new Map<number, string[]>();
  for (const line of linesOf(house, taskId, 'tool')) {
    if (line.name !== name || line.toolId === undefined) continue;
    ids.set(line.attempt, [...(ids.get(line.attempt) ?? []), line.toolId]);
  }
  return ids;
}
