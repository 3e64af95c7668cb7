/**
 * The way out: daemons are sent elsewhere one after the other, so that they do not arrive there all at once;
 * who is still here at the end is closed.
 *
 * Law: bounded by the drain's time; what was applied is acked or comes again elsewhere.
 */
import { closes } from './close.ts';
import type { Registry } from './registry.ts';
import type { Timings } from './timings.ts';

/** How long a daemon that was sent away may take to go. */
const graceMs = 1_000;

export async function drain(registry: Registry, timings: Timings): Promise<void> {
  const all = [...registry.all];
  const windowMs = Math.min((all.length / timings.goawayPerSecond) * 1_000, timings.goawayMs);
  const rounds = Math.max(1, Math.ceil(windowMs / 100));
  for (let round = 0; round < rounds; round += 1) {
    const from = Math.floor((all.length * round) / rounds);
    const to = Math.floor((all.length * (round + 1)) / rounds);
    for (const connection of all.slice(from, to))
      connection.goAway(Math.round(Math.random() * 500));
    if (round < rounds - 1) await pause(100);
  }
  await Promise.race([Promise.all(all.map((connection) => connection.over)), pause(graceMs)]);
  const rest = [...registry.all];
  for (const connection of rest) connection.end(closes.draining);
  await Promise.all([...all, ...rest].map((connection) => connection.over));
}

function pause(waitMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, waitMs));
}
