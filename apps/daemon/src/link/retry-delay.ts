/**
 * How long to wait before the next connect. Thousands of daemons lose their gateway in the same second;
 * they must not come back in the same second.
 *
 * Law: the server's hint wins (spread a little above it); without one, flat jitter under a growing cap.
 */

const firstCapMs = 1_000;
/** All daemons are back this soon after their gateway is; how many at once is the gateway's to say. */
const highestCapMs = 10_000;
/** A gateway of this machine serves few, and its people wait. */
const loopbackCapMs = 2_000;
const replacedMs = 30_000;
/** After this long with one connection, the past is forgiven. */
export const stableMs = 60_000;

export interface RetryState {
  /** Connections that failed in a row; those that lived shorter than `stableMs` count. */
  readonly failures: number;
  /** What the server asked for (Retry-After, goaway), or null. */
  readonly hintMs: number | null;
  /** The gateway runs on this machine. */
  readonly loopback?: true;
  /** Somebody else holds this daemon's connection: come back late, so that nobody plays ping-pong. */
  readonly replaced?: true;
}

/** Milliseconds to wait; `random` is in [0, 1). */
export function retryDelayMs(state: RetryState, random: number): number {
  if (state.hintMs !== null) {
    const hint = Math.min(Math.max(state.hintMs, 0), 5 * 60_000);
    return Math.round(hint + random * Math.min(hint, firstCapMs));
  }
  if (state.replaced === true) return Math.round(20_000 + random * replacedMs);
  const doublings = Math.min(Math.max(state.failures, 0), 10);
  const capMs = state.loopback === true ? loopbackCapMs : highestCapMs;
  return Math.round(random * Math.min(capMs, firstCapMs * 2 ** doublings));
}

export function isLoopback(url: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
}

/** Milliseconds of a Retry-After header in seconds; null when there is none that makes sense. */
export function retryAfterMs(header: string | undefined): number | null {
  if (header === undefined || !/^\d{1,5}(\.\d+)?$/.test(header.trim())) return null;
  return Math.round(Number(header) * 1000);
}
