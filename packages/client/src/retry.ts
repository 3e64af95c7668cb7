/**
 * When a request is tried again, and after how long.
 *
 * Why: a server that restarts, sheds load or loses a connection is no reason to bother a person.
 * Law: what may have had an effect is repeated only when the repetition cannot have a second one: reads,
 * PUT and DELETE, and POSTs with an Idempotency-Key. What was certainly not begun (429, connection
 * refused) may always be repeated. The server's Retry-After wins over our own delay.
 */
import type { MakimaError } from '@makima/domain/error';
import type { Endpoint } from '@makima/contracts/http/endpoint';
import type { Chance } from './chance.ts';

export const retryLimits = {
  /** Tries in all. */
  tries: 4,
  /** Upper end of the first delay; doubles. */
  firstDelayMs: 250,
  longestDelayMs: 5_000,
  /** A longer Retry-After is not waited for: the error goes to the caller. */
  longestRetryAfterMs: 30_000,
} as const;

/** What decides whether a request may be sent twice. */
export type Repeated = Pick<Endpoint, 'method' | 'idempotent'>;

export interface Failure {
  readonly error: MakimaError;
  /** HTTP status; null when no answer came. */
  readonly status: number | null;
  readonly retryAfterMs: number | null;
  /** The request never reached the server. */
  readonly neverSent: boolean;
}

/** Milliseconds to wait before the next try, or null to give up. `attempt` counts tries made, from 1. */
export function retryDelayMs(
  endpoint: Repeated,
  failure: Failure,
  options: { attempt: number; tries: number; chance: Chance },
): number | null {
  if (options.attempt >= options.tries) return null;
  const notBegun = failure.neverSent || failure.status === 429;
  if (!(notBegun || isRepeatable(endpoint)) || !mayPass(failure)) return null;
  if (failure.retryAfterMs === null) return backoffMs(options.attempt, options.chance);
  if (failure.retryAfterMs > retryLimits.longestRetryAfterMs) return null;
  return failure.retryAfterMs + options.chance() * retryLimits.firstDelayMs;
}

/** Full jitter over a doubling range. */
export function backoffMs(attempt: number, chance: Chance): number {
  const range = retryLimits.firstDelayMs * 2 ** Math.min(attempt - 1, 16);
  return Math.min(range, retryLimits.longestDelayMs) * chance();
}

function isRepeatable(endpoint: Repeated): boolean {
  return endpoint.method !== 'POST' && endpoint.method !== 'PATCH'
    ? true
    : endpoint.idempotent === true;
}

/** Is there hope that the very same request succeeds? */
function mayPass(failure: Failure): boolean {
  if (failure.status === null) return true;
  // An earlier try of ours is still at work; its answer will be replayed.
  if (failure.error.code === 'IDEMPOTENCY_IN_FLIGHT') return true;
  if (failure.error.code === 'LIMIT_EXCEEDED') return false;
  if (failure.status === 429) return true;
  return failure.status === 503 && (failure.error.retryable || failure.retryAfterMs !== null);
}

/** Milliseconds of a Retry-After header: seconds or an HTTP date. */
export function parseRetryAfter(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  if (/^\d{1,6}$/.test(header.trim())) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}
