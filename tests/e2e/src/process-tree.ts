// Processes below others, and what each shows to every program of its user: command line and environment.
// Law: a process that ended meanwhile shows nothing.
import { readdirSync, readFileSync } from 'node:fs';

/** These processes and all below them. */
export function descendantsOf(pids: readonly number[]): readonly number[] {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), parentOf(Number(name))] as const),
  );
  const found = new Set(pids);
  for (let before = 0; before !== found.size;) {
    before = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

/** What `ps auxeww` prints of it. */
export function shownBy(pid: number): string {
  return `${textOf(pid, 'cmdline')}\0${textOf(pid, 'environ')}`;
}

function parentOf(pid: number): number {
  // The name in brackets may hold anything; the fourth field follows its end.
  const [, parent] = /^\d+ \(.*\) \S (\d+)/s.exec(textOf(pid, 'stat')) ?? [];
  return Number(parent ?? 0);
}

function textOf(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
