/** When to try again, and after how long. */
import { describe, expect, it } from 'vitest';
import { endpoints } from '@makima/contracts/http/all';
import type { Endpoint } from '@makima/contracts/http/endpoint';
import { MakimaError, type ErrorCode } from '@makima/domain/error';
import { backoffMs, parseRetryAfter, retryDelayMs, type Failure } from './retry.ts';

const endpoint = (id: keyof typeof endpoints): Endpoint => endpoints[id] as unknown as Endpoint;
const read = endpoint('getContract');
const keyed = endpoint('createContract');
const unkeyed = endpoint('startContract');

const failure = (code: ErrorCode, changes: Partial<Failure> = {}): Failure => ({
  error: new MakimaError(code, 'no', { retryable: true }),
  status: 503,
  retryAfterMs: null,
  neverSent: false,
  ...changes,
});
const options = { attempt: 1, tries: 4, chance: () => 1 };

describe('retryDelayMs', () => {
  it('repeats reads and keyed posts when the store is away', () => {
    expect(retryDelayMs(read, failure('DEPENDENCY_UNAVAILABLE'), options)).toBe(250);
    expect(retryDelayMs(keyed, failure('DEPENDENCY_UNAVAILABLE'), options)).toBe(250);
  });

  it('never repeats a post without a key that may have had its effect', () => {
    const lost = failure('DEPENDENCY_UNAVAILABLE', { status: null });
    expect(retryDelayMs(unkeyed, lost, options)).toBeNull();
    expect(retryDelayMs(unkeyed, { ...lost, neverSent: true }, options)).toBe(250);
    expect(retryDelayMs(unkeyed, failure('RATE_LIMITED', { status: 429 }), options)).toBe(250);
  });

  it('gives up after the last try and on what will not pass', () => {
    const away = failure('DEPENDENCY_UNAVAILABLE');
    expect(retryDelayMs(read, away, { ...options, attempt: 4 })).toBeNull();
    expect(retryDelayMs(read, failure('NOT_FOUND', { status: 404 }), options)).toBeNull();
    expect(retryDelayMs(read, failure('INTERNAL', { status: 500 }), options)).toBeNull();
    expect(retryDelayMs(read, failure('LIMIT_EXCEEDED', { status: 429 }), options)).toBeNull();
    const stuck: Failure = { ...away, error: new MakimaError('NO_DAEMON', 'no') };
    expect(retryDelayMs(read, stuck, options)).toBeNull();
  });

  it('does what Retry-After says, with jitter on top, unless that is too long', () => {
    const told = failure('RATE_LIMITED', { status: 429, retryAfterMs: 2_000 });
    expect(retryDelayMs(read, told, { ...options, chance: () => 0 })).toBe(2_000);
    expect(retryDelayMs(read, told, options)).toBe(2_250);
    expect(retryDelayMs(read, { ...told, retryAfterMs: 60_000 }, options)).toBeNull();
  });

  it('waits for its own earlier try', () => {
    const inFlight = failure('IDEMPOTENCY_IN_FLIGHT', { status: 409, retryAfterMs: 1_000 });
    expect(retryDelayMs(keyed, inFlight, { ...options, chance: () => 0 })).toBe(1_000);
  });
});

describe('delays', () => {
  it('double up to a limit', () => {
    const most = [1, 2, 3, 9, 99].map((attempt) => backoffMs(attempt, () => 1));
    expect(most).toEqual([250, 500, 1_000, 5_000, 5_000]);
    expect(backoffMs(3, () => 0)).toBe(0);
  });

  it('reads both forms of Retry-After', () => {
    expect(parseRetryAfter('7', 0)).toBe(7_000);
    expect(parseRetryAfter('Thu, 01 Jan 1970 00:00:09 GMT', 4_000)).toBe(5_000);
    expect(parseRetryAfter('Thu, 01 Jan 1970 00:00:09 GMT', 60_000)).toBe(0);
    expect(parseRetryAfter('soon', 0)).toBeNull();
    expect(parseRetryAfter(null, 0)).toBeNull();
  });
});
