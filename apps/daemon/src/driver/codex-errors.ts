/**
 * What Codex says of a model that could not be asked.
 *
 * Law: its own word decides where it has one; the HTTP status where it tells one; the message last.
 */
import { apiErrorKind } from './api-error.ts';
import type { ApiError, ApiErrorKind } from './events.ts';
import type { Json } from './json.ts';
import { isJson, numberOf, objectOf, textOf } from './json.ts';

const byName: Readonly<Record<string, { kind: ApiErrorKind; status: number | null }>> = {
  usageLimitExceeded: { kind: 'rate_limit', status: 429 },
  rateLimitExceeded: { kind: 'rate_limit', status: 429 },
  serverOverloaded: { kind: 'overloaded', status: null },
  internalServerError: { kind: 'server', status: 500 },
  unauthorized: { kind: 'auth', status: 401 },
  badRequest: { kind: 'invalid', status: 400 },
  modelNotFound: { kind: 'invalid', status: 404 },
  contextWindowExceeded: { kind: 'too_long', status: null },
};

export function errorNameOf(error: Json): string | null {
  const info = error.codexErrorInfo;
  return isJson(info) ? (Object.keys(info)[0] ?? null) : textOf(info);
}

export function apiErrorOf(error: Json): ApiError {
  // While it tries again, what went wrong stands in the details.
  const message = textOf(error.additionalDetails) ?? textOf(error.message) ?? '';
  const name = errorNameOf(error);
  const known = byName[name ?? ''];
  if (known !== undefined) return { ...known, message };
  const status = numberOf(objectOf(objectOf(error.codexErrorInfo)[name ?? '']).httpStatusCode);
  if (status !== null) return { kind: apiErrorKind(status, []), status, message };
  return { kind: apiErrorKind(null, [message]), status: null, message };
}

/** "Reconnecting... 1/5" */
export function tryOf(error: Json): { readonly attempt: number; readonly max: number } {
  const [, attempt, max] = /(\d+)\/(\d+)/.exec(textOf(error.message) ?? '') ?? [];
  return { attempt: Number(attempt ?? 0), max: Number(max ?? 0) };
}
