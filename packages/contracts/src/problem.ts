/**
 * How an error travels over HTTP: RFC 9457 problem+json with makima's closed codes, and back again.
 *
 * Law: one table from code to status, read in both directions; a body never carries a stack, SQL or a secret.
 */
import { z } from 'zod';
import { errorCodes, MakimaError, type ErrorCode } from '@makima/domain/error';
import { problemMeanings } from './problem-meanings.ts';

/** HTTP status of each code. */
export const problemStatus: Readonly<Record<ErrorCode, number>> = {
  CONTRACT_NOT_FOUND: 404,
  INVALID_TRANSITION: 400,
  VERSION_CONFLICT: 409,
  PHASE_GUARD_REQUIRED: 409,
  INVALID_DELIVERABLE: 400,
  SUPERVISOR_NOT_FOUND: 404,
  SUPERVISOR_DEAD: 503,
  VALIDATION_FAILED: 400,
  NOT_SUPERVISOR: 403,
  NO_CONTEXT: 400,
  NO_DIRECTIVE: 400,
  INVALID_ORDER_TYPE: 400,
  NO_DAEMON: 503,
  COMMAND_FAILED: 502,
  DAEMON_ERROR: 502,
  ALREADY_RUNNING: 409,
  INVALID_RESUME_MODE: 400,
  MISSING_REPO_URL: 400,
  QUESTION_ANSWERED: 409,
  DEPENDENCY_UNAVAILABLE: 503,
  NOT_FOUND: 404,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  FENCED: 409,
  CONFLICT: 409,
  CONFIRMATION_REQUIRED: 428,
  CONFIRMATION_VOID: 409,
  IDEMPOTENCY_MISMATCH: 422,
  IDEMPOTENCY_IN_FLIGHT: 409,
  WAIT_TIMED_OUT: 408,
  OPERATION_TIMED_OUT: 504,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  METHOD_NOT_ALLOWED: 405,
  MISDIRECTED_REQUEST: 421,
  RATE_LIMITED: 429,
  LIMIT_EXCEEDED: 429,
  GIT_FAILED: 502,
  INTERNAL: 500,
};

export const zProblem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.enum(errorCodes),
  retryable: z.boolean(),
  fix: z.string().optional(),
  requestId: z.string(),
  /** Where a body, query or path was wrong: JSON pointers. */
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  /** Facts of this code: versions, valid ids, who answered. */
  details: z.record(z.string(), z.unknown()).optional(),
});
export type Problem = z.infer<typeof zProblem>;

/** Where a tool's result carries the problem that its text tells of: a key of its `_meta`. */
export const problemInMeta = 'makima/problem';

/** The wire form of an error, with its own fix or else that of its code. `errors` in its details becomes the list of pointers. */
export function toProblem(error: MakimaError, requestId: string): Problem {
  const { errors, ...details } = error.details;
  return {
    type: `/reference/problems#${error.code}`,
    title: error.code.toLowerCase().replaceAll('_', ' '),
    status: problemStatus[error.code],
    detail: error.message,
    code: error.code,
    retryable: error.retryable,
    fix: error.fix ?? problemMeanings[error.code].act,
    requestId,
    ...(Array.isArray(errors) ? { errors: errors as Problem['errors'] } : {}),
    ...(Object.keys(details).length === 0 ? {} : { details }),
  };
}

/** The error that a client throws for a problem that it received. */
export function fromProblem(problem: Problem): MakimaError {
  return new MakimaError(problem.code, problem.detail, {
    retryable: problem.retryable,
    ...(problem.fix === undefined ? {} : { fix: problem.fix }),
    details: {
      ...problem.details,
      ...(problem.errors === undefined ? {} : { errors: problem.errors }),
      requestId: problem.requestId,
    },
  });
}
