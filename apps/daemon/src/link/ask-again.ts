/**
 * Patience with a control plane that is away: what failed for want of it is tried again, for a bounded time.
 *
 * Law: a refusal is one at once; and whatever waits here keeps no process alive.
 *
 * export askAgain<T>(options, work): Promise<T>     throws what the last try threw
 */
import { setTimeout as pause } from 'node:timers/promises';
import { isMakimaError } from '@makima/domain/error';

export interface Patience {
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
  readonly patienceMs: number;
  /** Ends the wait between two tries. */
  readonly signal?: AbortSignal;
}

const firstWaitMs = 200;
const longestWaitMs = 2_000;

export async function askAgain<T>(
  { now, patienceMs, signal }: Patience,
  work: () => Promise<T>,
): Promise<T> {
  const until = now() + patienceMs;
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error) || now() >= until) throw error;
      await pause(waitMs, undefined, { ref: false, ...(signal === undefined ? {} : { signal }) });
    }
  }
}

function isAway(error: unknown): boolean {
  return isMakimaError(error) && error.code === 'DEPENDENCY_UNAVAILABLE' && error.retryable;
}
