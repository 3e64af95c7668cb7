/**
 * Patience with a store that is away: the same work again after growing pauses, for a bounded time. The
 * daemon's frame is not acked meanwhile, and its connection stays.
 *
 * Law: only what may succeed later is tried again; the end of the connection ends it.
 */
import { isMakimaError } from '@makima/domain/error';

export interface Patience {
  /** Aborted when the connection is over. */
  readonly signal: AbortSignal;
  /** Longest time from the first failure. */
  readonly limitMs: number;
}

const firstPauseMs = 100;
const longestPauseMs = 3_000;

/** Is this a store that is away, rather than a "no"? */
export function isAway(error: unknown): boolean {
  return isMakimaError(error) && error.code === 'DEPENDENCY_UNAVAILABLE';
}

/** Run `work` until it succeeds or says no. Throws what it threw last when time is up or the signal aborts. */
export async function patiently<T>(patience: Patience, work: () => Promise<T>): Promise<T> {
  let pauseMs = firstPauseMs;
  let failingSince: number | undefined;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      failingSince ??= performance.now();
      const spentMs = performance.now() - failingSince;
      if (!isAway(error) || patience.signal.aborted || spentMs + pauseMs > patience.limitMs)
        throw error;
      await pause(pauseMs * (0.5 + Math.random()), patience.signal);
      if (patience.signal.aborted) throw error;
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
  }
}

function pause(waitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, waitMs);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
