/**
 * Counts tokens that opened nothing, per remote address and minute.
 *
 * Law: over the limit a wrong token reads 429 instead of 401; a good one passes always. Everybody on a
 * machine shares 127.0.0.1, so one agent with an old key must not shut the others out, and guessing a
 * token of 190 random bits is hopeless at any rate.
 */
import { MakimaError } from '@makima/domain/error';

export interface FailedAuth {
  count(address: string): void;
  /** The refusal for an address with too many failures; undefined below the limit. */
  refusal(address: string): MakimaError | undefined;
}

interface Window {
  readonly sinceMs: number;
  failures: number;
}

const windowMs = 60_000;
const addressesMost = 10_000;

export function createFailedAuth(options: { readonly perMinuteMax: number }): FailedAuth {
  const windows = new Map<string, Window>();
  const present = (address: string): Window | undefined => {
    const window = windows.get(address);
    if (window !== undefined && performance.now() - window.sinceMs < windowMs) return window;
    windows.delete(address);
    return undefined;
  };
  return {
    count(address) {
      const window = present(address);
      if (window !== undefined) window.failures += 1;
      else {
        if (windows.size >= addressesMost) windows.clear();
        windows.set(address, { sinceMs: performance.now(), failures: 1 });
      }
    },
    refusal(address) {
      const window = present(address);
      if (window === undefined || window.failures <= options.perMinuteMax) return undefined;
      const leftMs = windowMs - (performance.now() - window.sinceMs);
      return new MakimaError('RATE_LIMITED', 'too many wrong keys from this address', {
        retryable: true,
        details: { retryAfterSeconds: Math.ceil(leftMs / 1_000) },
      });
    },
  };
}
