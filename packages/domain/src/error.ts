/**
 * The one error class of makima: a closed code, a message that is safe to show to people, an optional
 * fix, and the cause for the log only.
 *
 * Law: doors translate this class and nothing else (HTTP problem+json, retry or not of a job, nack of a
 * socket, exit code); the client rebuilds the same class from what the API sent. An expected "no" inside
 * the domain is a value, not an exception.
 */

/** Every code that may leave the system. Seeds' codes first, then those of the decisions. */
export const errorCodes = [
  'CONTRACT_NOT_FOUND',
  'INVALID_TRANSITION',
  'VERSION_CONFLICT',
  'PHASE_GUARD_REQUIRED',
  'INVALID_DELIVERABLE',
  'SUPERVISOR_NOT_FOUND',
  'SUPERVISOR_DEAD',
  'VALIDATION_FAILED',
  'NOT_SUPERVISOR',
  'NO_CONTEXT',
  'NO_DIRECTIVE',
  'INVALID_ORDER_TYPE',
  'NO_DAEMON',
  'COMMAND_FAILED',
  'DAEMON_ERROR',
  'ALREADY_RUNNING',
  'INVALID_RESUME_MODE',
  'MISSING_REPO_URL',
  'QUESTION_ANSWERED',
  'DEPENDENCY_UNAVAILABLE',
  'NOT_FOUND',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'FENCED',
  'CONFLICT',
  'CONFIRMATION_REQUIRED',
  'CONFIRMATION_VOID',
  'IDEMPOTENCY_MISMATCH',
  'IDEMPOTENCY_IN_FLIGHT',
  'WAIT_TIMED_OUT',
  'OPERATION_TIMED_OUT',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'METHOD_NOT_ALLOWED',
  'MISDIRECTED_REQUEST',
  'RATE_LIMITED',
  'LIMIT_EXCEEDED',
  'GIT_FAILED',
  'INTERNAL',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface ErrorOptions {
  /** Facts for the caller (ids, versions, valid values). Never secrets, never another owner's data. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** What to do next: a command or a sentence. */
  readonly fix?: string;
  /** Whether the very same request may succeed later. */
  readonly retryable?: boolean;
  /** For the log only; never shown. */
  readonly cause?: unknown;
}

export class MakimaError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
  readonly fix: string | undefined;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'MakimaError';
    this.code = code;
    this.details = options.details ?? {};
    this.fix = options.fix;
    this.retryable = options.retryable ?? false;
  }
}

/** Narrow an unknown thrown value; used by every door. */
export function isMakimaError(value: unknown): value is MakimaError {
  return value instanceof MakimaError;
}
