/**
 * What the kernel tells about processes, read from /proc: start times (a pid alone names nobody, it is used
 * again) and which processes carry a run id in their environment.
 *
 * Law: read only, synchronous (a table read in pieces is a lie), and empty where there is no /proc.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** A process, named so that a reused pid is not taken for it. */
export interface ProcessName {
  readonly pid: number;
  /** Clock ticks since boot; 0 where the system does not tell. */
  readonly startTime: number;
}

interface ProcessRow extends ProcessName {
  readonly parent: number;
  readonly state: string;
}

/** The row of one process, or null when there is none (any more). */
export function processRow(pid: number): ProcessRow | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the name in parentheses and may hold anything, so count from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      pid,
      state: fields[0] ?? '?',
      parent: Number(fields[1]),
      startTime: Number(fields[19]),
    };
  } catch {
    return null;
  }
}

/** Whether that very process (not a later one with its pid) exists and is not a zombie. */
export function isAlive(name: ProcessName): boolean {
  const row = processRow(name.pid);
  if (row !== null) {
    return row.state !== 'Z' && (name.startTime === 0 || row.startTime === name.startTime);
  }
  return name.startTime === 0 && processExists(name.pid);
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** This boot's id: run files of an earlier boot name no living process. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

function rows(): ProcessRow[] {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return [];
  }
  return names
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processRow(Number(name)))
    .filter((row): row is ProcessRow => row !== null && row.state !== 'Z');
}

function runIdOf(pid: number): string | null {
  try {
    const environ = `\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}`;
    const at = environ.indexOf('\0MAKIMA_RUN_ID=');
    if (at < 0) return null;
    const from = at + '\0MAKIMA_RUN_ID='.length;
    const to = environ.indexOf('\0', from);
    return environ.slice(from, to < 0 ? undefined : to);
  } catch {
    return null;
  }
}

/**
 * Every process of these runs: those that carry a run id in their environment and the descendants of
 * `roots` (a child started with an emptied environment is still a child). Never this process itself.
 */
export function processesOfRuns(
  runIds: ReadonlySet<string>,
  roots: readonly number[] = [],
): readonly ProcessName[] {
  const table = rows();
  const found = new Set<number>(roots);
  for (const row of table) {
    const runId = runIdOf(row.pid);
    if (runId !== null && runIds.has(runId)) found.add(row.pid);
  }
  for (let grew = true; grew;) {
    grew = false;
    for (const row of table) {
      if (!found.has(row.parent) || found.has(row.pid)) continue;
      found.add(row.pid);
      grew = true;
    }
  }
  found.delete(process.pid);
  return table
    .filter((row) => found.has(row.pid))
    .map(({ pid, startTime }) => ({ pid, startTime }));
}
