/**
 * Who a process is, for longer than its pid: pid, start time and boot of the machine. Why: a pid is reused,
 * so a lock that names a pid alone is kept alive by a stranger; after a reboot even the start can repeat.
 *
 * Law: a mark whose process is gone, or whose pid belongs to another start, is dead.
 *
 * export processMark(pid?): string            "<pid>:<start>:<boot>"
 * export isAlive(mark): boolean
 * export endChildrenOf(mark): number          kills what a dead owner left running, found by its mark
 * export livesInGroup(group): boolean         zombies are dead
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

let own: string | undefined;
let boot: string | undefined;

export function processMark(pid: number = process.pid): string {
  if (pid === process.pid) return (own ??= `${pid}:${startOf(pid) ?? 'unknown'}:${bootId()}`);
  return `${pid}:${startOf(pid) ?? 'unknown'}:${bootId()}`;
}

export function isAlive(mark: string): boolean {
  const [pidText = '', ...rest] = mark.split(':');
  const pid = Number(pidText);
  if (!Number.isSafeInteger(pid) || pid < 1) return false;
  return `${startOf(pid) ?? ''}:${bootId()}` === rest.join(':');
}

/**
 * A killed daemon's git may run on for a moment and still write. Its environment carries the owner's mark,
 * so the successor ends exactly those and no others. Only Linux shows environments; elsewhere it is 0.
 */
export function endChildrenOf(mark: string): number {
  if (isAlive(mark)) return 0;
  let ended = 0;
  for (const name of processNames()) {
    const pid = Number(name);
    if (!Number.isSafeInteger(pid) || pid <= 1) continue;
    const environment = readOr(`/proc/${pid}/environ`);
    if (environment === null || !environment.split('\0').includes(`MAKIMA_GIT_OWNER=${mark}`))
      continue;
    try {
      process.kill(pid, 'SIGKILL');
      ended += 1;
    } catch {
      // It ended by itself.
    }
  }
  return ended;
}

/** Whether a process of this group runs: one that only waits to be reaped does not. */
export function livesInGroup(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  if (process.platform !== 'linux') return true;
  return processNames().some((name) => {
    const fields = /^\d+$/.test(name) ? statFields(name) : null;
    return fields !== null && fields[0] !== 'Z' && Number(fields[2]) === group;
  });
}

/** Empty where the machine does not tell; a start time is a date there. */
function bootId(): string {
  return (boot ??= (readOr('/proc/sys/kernel/random/boot_id') ?? '').slice(0, 8));
}

function processNames(): string[] {
  try {
    return readdirSync('/proc');
  } catch {
    return [];
  }
}

/** Clock ticks since boot on Linux, a date elsewhere; null when there is no such process. */
function startOf(pid: number): string | null {
  const fields = statFields(pid);
  if (fields !== null) return fields[0] === 'Z' ? null : (fields[19] ?? null);
  if (process.platform === 'linux') return null;
  try {
    const args = ['-o', 'lstart=', '-p', String(pid)];
    return execFileSync('ps', args, { encoding: 'utf8', env: { LC_ALL: 'C' } }).trim() || null;
  } catch {
    return null;
  }
}

/** State, parent, group and so on; null when there is no such process. */
function statFields(pid: number | string): string[] | null {
  const stat = readOr(`/proc/${pid}/stat`);
  // The name in parentheses may hold spaces and parentheses itself: fields count from the last one.
  return stat === null ? null : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function readOr(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
