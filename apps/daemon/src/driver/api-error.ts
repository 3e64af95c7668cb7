/**
 * One word for what went wrong at a model's house, for all kinds of agents.
 *
 * Law: the house's status decides; its words only where no status came.
 */
import type { ApiErrorKind } from './events.ts';

const byWord: readonly (readonly [RegExp, ApiErrorKind])[] = [
  [/rate_limit|too many requests/i, 'rate_limit'],
  [/overloaded/i, 'overloaded'],
  [/auth|oauth|permission|api_key/, 'auth'],
  [/billing|credit/, 'billing'],
  [/too_long|prompt is too long/i, 'too_long'],
  [/invalid|not_found|request_too_large/, 'invalid'],
  [/connection|network|socket|ECONN|timeout|timed out|disconnected/i, 'network'],
  [/server_error|api_error/, 'server'],
];

const byStatus: Readonly<Record<number, ApiErrorKind>> = {
  400: 'invalid',
  401: 'auth',
  402: 'billing',
  403: 'auth',
  404: 'invalid',
  413: 'too_long',
  429: 'rate_limit',
  529: 'overloaded',
};

export function apiErrorKind(
  status: number | null,
  words: readonly (string | null)[],
): ApiErrorKind {
  if (status !== null) {
    const known = byStatus[status];
    if (known !== undefined) return known;
    if (status >= 500) return 'server';
  }
  for (const word of words) {
    const found = word === null ? undefined : byWord.find(([pattern]) => pattern.test(word));
    if (found !== undefined) return found[1];
  }
  return 'unknown';
}
