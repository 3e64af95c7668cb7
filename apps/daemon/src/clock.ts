/**
 * Clocks of the daemon. Leases are judged by time since boot, which goes on while the machine sleeps and
 * never jumps when somebody sets the clock; wall-clock time is only ever written down for people.
 *
 * Law: no decision about a lease compares clocks of two machines.
 */
import { readFileSync } from 'node:fs';

/** Milliseconds since boot, sleep included; where the system does not tell, since the process began. */
export function bootClockMs(): number {
  try {
    const seconds = Number(readFileSync('/proc/uptime', 'latin1').split(' ', 1)[0]);
    if (Number.isFinite(seconds)) return seconds * 1000;
  } catch {
    // No /proc here: the monotonic clock stands still while the machine sleeps, and so do the agents.
  }
  return performance.now();
}

/** This moment as the wire writes it. */
export function wireTime(): string {
  return new Date().toISOString();
}
