/**
 * What both halves of Claude Code's dialect (its story and its requests) know together of the running turn.
 *
 * Law: what we did to a tool (denied it, broke it off) is known from us, not read out of the words that Claude
 * Code puts into its result.
 */
import type { ApiErrorKind } from './events.ts';

export interface ClaudeTurn {
  /** Tool calls that a guard or a person refused. */
  readonly denied: Set<string>;
  /** Tool calls that were told and have not ended. */
  readonly open: Set<string>;
  /** Those of them that a message of ours broke off, as it could not wait. */
  readonly broken: Set<string>;
  /** We asked for the turn's end. */
  interrupting: boolean;
}

export function claudeTurn(): ClaudeTurn {
  return { denied: new Set(), open: new Set(), broken: new Set(), interrupting: false };
}

const byWord: readonly (readonly [RegExp, ApiErrorKind])[] = [
  [/rate_limit/, 'rate_limit'],
  [/overloaded/, 'overloaded'],
  [/auth|oauth|permission|api_key/, 'auth'],
  [/billing|credit/, 'billing'],
  [/too_long|prompt is too long/i, 'too_long'],
  [/invalid|not_found|request_too_large/, 'invalid'],
  [/connection|network|socket|ECONN|timeout|timed out/i, 'network'],
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

/** One word for what went wrong, by the house's status first, then by its words. */
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

/** Makima's own tools carry their plain name; those of other servers keep theirs. */
export function plainToolName(name: string): string {
  return name.startsWith('mcp__makima__') ? name.slice('mcp__makima__'.length) : name;
}
