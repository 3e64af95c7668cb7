/**
 * From anything thrown to an answer: problem+json, by the one table of `contracts/problem`.
 *
 * Law: what is not a MakimaError is INTERNAL for the caller and a logged cause for us; no stack, SQL or
 * driver message leaves the process. Every answer carries its request id.
 */
import { isMakimaError, MakimaError } from '@makima/domain/error';
import { problemStatus, toProblem } from '@makima/contracts/problem';
import type { ApiCtx } from './request.ts';

export const problemType = 'application/problem+json';

/** Seconds after which a caller may try again. */
const retryAfterSeconds = 2;

/** The answer to a request that failed. */
export function problemResponse(c: ApiCtx, thrown: unknown): Response {
  const error = asMakimaError(thrown);
  const requestId = c.get('requestId');
  const status = problemStatus[error.code];
  if (status >= 500) {
    const fields = { err: error.code === 'INTERNAL' ? thrown : error, code: error.code };
    if (error.code === 'INTERNAL') c.get('log').error(fields, 'request failed');
    else c.get('log').warn(fields, 'request failed');
  }
  return new Response(JSON.stringify(toProblem(error, requestId)), {
    status,
    headers: { 'content-type': problemType, ...extraHeaders(error, status) },
  });
}

/** The same error for doors that answer in another shape. */
export function asMakimaError(thrown: unknown): MakimaError {
  if (isMakimaError(thrown)) return thrown;
  return new MakimaError('INTERNAL', 'something went wrong on our side', {
    cause: thrown,
    fix: 'look for the request id in the log of the API',
  });
}

function extraHeaders(error: MakimaError, status: number): Record<string, string> {
  const headers: Record<string, string> = {};
  const after = error.details['retryAfterSeconds'];
  if (typeof after === 'number') headers['retry-after'] = String(Math.max(1, Math.ceil(after)));
  else if (status === 503 || status === 429 || error.code === 'IDEMPOTENCY_IN_FLIGHT') {
    headers['retry-after'] = String(retryAfterSeconds);
  }
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="makima"';
  const allow = error.details['allow'];
  if (status === 405 && Array.isArray(allow)) headers['allow'] = allow.join(', ');
  return headers;
}

/** Where input was wrong. */
export interface Fault {
  /** JSON pointer: into the body, or below `/query`, `/path`, `/headers`. */
  readonly pointer: string;
  readonly detail: string;
}

/** 400 VALIDATION_FAILED naming each fault; at most 50 of them. */
export function invalid(
  faults: readonly Fault[],
  fix = 'mend what is named; GET /reference has what each address takes',
): MakimaError {
  const [first] = faults;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  return new MakimaError(
    'VALIDATION_FAILED',
    first
      ? `${first.pointer === '' ? 'the body' : first.pointer}: ${first.detail}${more}`
      : 'the input is not valid',
    { details: { errors: faults.slice(0, 50) }, fix },
  );
}
