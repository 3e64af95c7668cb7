/**
 * From a response to the value that the description promises, or to the error that the server meant.
 *
 * Why: caller and server may be of different ages; a field that this client does not know is no fault.
 * Law: whatever the server sends, the caller sees a value of the described type or a MakimaError.
 */
import type { z } from 'zod';
import { MakimaError, type ErrorCode } from '@makima/domain/error';
import { fromProblem, zProblem } from '@makima/contracts/problem';
import type { Endpoint } from '@makima/contracts/http/endpoint';

/** The value of a 2xx body. Keys that the schema does not know are dropped, wherever they stand. */
export function parseAnswer(endpoint: Endpoint, schema: z.ZodType, body: unknown): unknown {
  const first = schema.safeParse(body);
  if (first.success) return first.data;
  if (first.error.issues.every((issue) => issue.code === 'unrecognized_keys')) {
    for (const issue of first.error.issues) prune(body, issue.path, issue.keys);
    const second = schema.safeParse(body);
    if (second.success) return second.data;
  }
  const issue = first.error.issues[0];
  throw new MakimaError('INTERNAL', `the server answered ${endpoint.id} in an unknown shape`, {
    details: {
      errors: [{ pointer: `/${(issue?.path ?? []).join('/')}`, detail: issue?.message ?? '' }],
    },
    fix: 'bring client and server to the same version',
  });
}

/** Removes `keys` from the object that lies at `path`. */
function prune(body: unknown, path: readonly PropertyKey[], keys: readonly string[]): void {
  let at = body as Record<PropertyKey, unknown> | undefined;
  for (const step of path) at = at?.[step] as Record<PropertyKey, unknown> | undefined;
  for (const key of keys) delete at?.[key];
}

/** Codes of answers without a problem body: a proxy's, or a server's of another age. */
const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'VALIDATION_FAILED',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  408: 'WAIT_TIMED_OUT',
  409: 'CONFLICT',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  421: 'MISDIRECTED_REQUEST',
  422: 'VALIDATION_FAILED',
  428: 'CONFIRMATION_REQUIRED',
  429: 'RATE_LIMITED',
  502: 'DEPENDENCY_UNAVAILABLE',
  503: 'DEPENDENCY_UNAVAILABLE',
  504: 'OPERATION_TIMED_OUT',
};

/** The error of any answer that is not 2xx. `body` is its parsed JSON, or undefined. */
export function parseFailure(
  status: number,
  body: unknown,
  from: { url: string; location: string | null },
): MakimaError {
  const problem = zProblem.safeParse(body);
  if (problem.success) return fromProblem(problem.data);
  if (status >= 300 && status < 400) {
    return new MakimaError('MISDIRECTED_REQUEST', `${from.url} redirects elsewhere`, {
      details: from.location === null ? {} : { location: from.location },
      fix: 'give the address that it redirects to',
    });
  }
  const { detail, requestId } = (body ?? {}) as { detail?: unknown; requestId?: unknown };
  return new MakimaError(
    codeOfStatus[status] ?? 'INTERNAL',
    typeof detail === 'string' ? detail : `${from.url} answered ${status}`,
    {
      retryable: status === 429 || status === 502 || status === 503,
      details: { status, ...(typeof requestId === 'string' ? { requestId } : {}) },
    },
  );
}
