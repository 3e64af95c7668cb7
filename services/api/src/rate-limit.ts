/**
 * How many requests a key may make in a minute, counted in this process.
 *
 * Law: what is left is told with every answer (`RateLimit`, `RateLimit-Policy`); over it is 429 with the
 * time to wait. Nothing is asked of Redis: a request must not wait for it.
 */
import { MakimaError } from '@makima/domain/error';

export interface RateLimit {
  /** Counts one request. Throws RATE_LIMITED when it was one too many. */
  take(keyId: string): RateLimitState;
}

export interface RateLimitState {
  readonly limit: number;
  readonly remaining: number;
  readonly resetSeconds: number;
}

interface Window {
  readonly sinceMs: number;
  taken: number;
}

const windowMs = 60_000;
const keysMost = 50_000;

export function createRateLimit(options: { readonly perMinuteMax: number }): RateLimit {
  const windows = new Map<string, Window>();
  return {
    take(keyId) {
      const now = performance.now();
      let window = windows.get(keyId);
      if (window === undefined || now - window.sinceMs >= windowMs) {
        if (windows.size >= keysMost) dropOld(windows, now);
        window = { sinceMs: now, taken: 0 };
        windows.set(keyId, window);
      }
      window.taken += 1;
      const resetSeconds = Math.ceil((windowMs - (now - window.sinceMs)) / 1_000);
      if (window.taken > options.perMinuteMax) {
        throw new MakimaError(
          'RATE_LIMITED',
          `a key makes at most ${options.perMinuteMax} requests a minute`,
          {
            retryable: true,
            details: { retryAfterSeconds: resetSeconds, limit: options.perMinuteMax },
          },
        );
      }
      return {
        limit: options.perMinuteMax,
        remaining: options.perMinuteMax - window.taken,
        resetSeconds,
      };
    },
  };
}

/** The header fields of the IETF draft. */
export function rateLimitHeaders(state: RateLimitState): Record<string, string> {
  return {
    'ratelimit-policy': `"key";q=${state.limit};w=${windowMs / 1_000}`,
    ratelimit: `"key";r=${state.remaining};t=${state.resetSeconds}`,
  };
}

function dropOld(windows: Map<string, Window>, now: number): void {
  for (const [keyId, window] of windows) {
    if (now - window.sinceMs >= windowMs) windows.delete(keyId);
  }
  if (windows.size >= keysMost) windows.clear();
}
