/**
 * Exit codes: what a script learns without reading a word. Documented in `makima help exit-codes`.
 *
 * Law: one table from error code to exit code; a code never changes its meaning.
 */
import type { ErrorCode, MakimaError } from '@makima/domain/error';

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  cancelled: 3,
  forbidden: 4,
  endedBadly: 5,
  conflict: 6,
  notFound: 7,
  waitsForPerson: 8,
  unreachable: 9,
  interrupted: 130,
} as const;

export const exitMeanings: readonly (readonly [number, string])[] = [
  [exitCodes.ok, 'done'],
  [exitCodes.failed, 'failed'],
  [exitCodes.usage, 'the command line is not right'],
  [exitCodes.cancelled, 'cancelled at a prompt, or a wait timed out'],
  [exitCodes.forbidden, 'not signed in, or not allowed'],
  [exitCodes.endedBadly, 'the watched contract or task ended badly'],
  [exitCodes.conflict, 'conflict: version, phase guard, already answered, wrong state'],
  [exitCodes.notFound, 'not found'],
  [exitCodes.waitsForPerson, 'waits for a person'],
  [exitCodes.unreachable, 'the server cannot be reached or cannot serve now: try again'],
  [exitCodes.interrupted, 'interrupted with Ctrl-C'],
];

const exitOfCode: Readonly<Record<ErrorCode, number>> = {
  CONTRACT_NOT_FOUND: exitCodes.notFound,
  SUPERVISOR_NOT_FOUND: exitCodes.notFound,
  NOT_FOUND: exitCodes.notFound,
  INVALID_TRANSITION: exitCodes.conflict,
  VERSION_CONFLICT: exitCodes.conflict,
  PHASE_GUARD_REQUIRED: exitCodes.conflict,
  ALREADY_RUNNING: exitCodes.conflict,
  QUESTION_ANSWERED: exitCodes.conflict,
  FENCED: exitCodes.conflict,
  CONFLICT: exitCodes.conflict,
  CONFIRMATION_VOID: exitCodes.conflict,
  IDEMPOTENCY_MISMATCH: exitCodes.conflict,
  IDEMPOTENCY_IN_FLIGHT: exitCodes.conflict,
  VALIDATION_FAILED: exitCodes.usage,
  INVALID_DELIVERABLE: exitCodes.usage,
  NO_CONTEXT: exitCodes.usage,
  NO_DIRECTIVE: exitCodes.usage,
  INVALID_ORDER_TYPE: exitCodes.usage,
  INVALID_RESUME_MODE: exitCodes.usage,
  MISSING_REPO_URL: exitCodes.usage,
  CONFIRMATION_REQUIRED: exitCodes.usage,
  PAYLOAD_TOO_LARGE: exitCodes.usage,
  UNAUTHENTICATED: exitCodes.forbidden,
  FORBIDDEN: exitCodes.forbidden,
  NOT_SUPERVISOR: exitCodes.forbidden,
  WAIT_TIMED_OUT: exitCodes.cancelled,
  OPERATION_TIMED_OUT: exitCodes.cancelled,
  DEPENDENCY_UNAVAILABLE: exitCodes.unreachable,
  RATE_LIMITED: exitCodes.unreachable,
  SUPERVISOR_DEAD: exitCodes.failed,
  NO_DAEMON: exitCodes.failed,
  COMMAND_FAILED: exitCodes.failed,
  DAEMON_ERROR: exitCodes.failed,
  UNSUPPORTED_MEDIA_TYPE: exitCodes.failed,
  METHOD_NOT_ALLOWED: exitCodes.failed,
  MISDIRECTED_REQUEST: exitCodes.failed,
  LIMIT_EXCEEDED: exitCodes.failed,
  GIT_FAILED: exitCodes.failed,
  INTERNAL: exitCodes.failed,
};

/** A phase that cannot be left yet is a conflict with how things stand, not a wrong command line. */
export function exitCodeOf(error: MakimaError): number {
  if (error.code === 'VALIDATION_FAILED' && 'missing' in error.details) return exitCodes.conflict;
  return exitOfCode[error.code];
}
