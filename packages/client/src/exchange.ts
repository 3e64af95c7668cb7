/**
 * One try of one request: sent, answered, read; or why not.
 *
 * Law: never throws for what the network or the server did; it throws the caller's own abort and nothing
 * else. Redirects are not followed, so that a key is sent to the named server only.
 */
import { MakimaError } from '@makima/domain/error';
import { nowMs } from './chance.ts';
import { parseFailure } from './answer.ts';
import type { Prepared } from './request.ts';
import { parseRetryAfter, type Failure } from './retry.ts';

export type Fetch = typeof globalThis.fetch;

export type Outcome =
  | { readonly ok: true; readonly body: unknown }
  | ({ readonly ok: false } & Failure);

export interface ExchangeOptions {
  readonly fetch: Fetch;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Reads a body; JSON unless told otherwise. Undefined: it cannot be read. */
  readonly parse?: (text: string) => unknown;
}

export async function exchange(request: Prepared, options: ExchangeOptions): Promise<Outcome> {
  options.signal?.throwIfAborted();
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  try {
    const response = await options.fetch(request.url, {
      method: request.method,
      headers: request.headers,
      redirect: 'manual',
      signal,
      ...(request.body === undefined ? {} : { body: request.body }),
    });
    const text = await response.text();
    return judge(request, response, { text, parse: options.parse ?? parseJson });
  } catch (cause) {
    options.signal?.throwIfAborted();
    return unreachable(request.url, cause, timeout.aborted ? options.timeoutMs : null);
  }
}

function judge(
  request: Prepared,
  response: Response,
  { text, parse }: { readonly text: string; readonly parse: (text: string) => unknown },
): Outcome {
  const body = parse(text);
  if (response.ok && body !== undefined) return { ok: true, body };
  if (response.ok && text === '') return { ok: true, body: {} };
  const error = response.ok
    ? new MakimaError('INTERNAL', `${originOf(request.url)} does not speak makima's API`, {
        details: { url: request.url },
        fix: 'check the address: another program may listen there',
      })
    : parseFailure(response.status, body, {
        url: request.url,
        location: response.headers.get('location'),
      });
  return {
    ok: false,
    error,
    status: response.status,
    retryAfterMs: parseRetryAfter(response.headers.get('retry-after'), nowMs()),
    neverSent: false,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection lost',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'no such host',
  ETIMEDOUT: 'no answer',
  UND_ERR_CONNECT_TIMEOUT: 'no answer',
  UND_ERR_SOCKET: 'connection lost',
};

function unreachable(url: string, cause: unknown, timedOutMs: number | null): Outcome {
  const code = codeOf(cause);
  const why =
    timedOutMs === null
      ? (words[code] ?? (code || 'connection lost'))
      : `no answer in ${timedOutMs / 1_000} s`;
  return {
    ok: false,
    error: new MakimaError('DEPENDENCY_UNAVAILABLE', `cannot reach ${originOf(url)}: ${why}`, {
      details: { url },
      fix: './makima up',
      retryable: true,
      cause,
    }),
    status: null,
    retryAfterMs: null,
    neverSent: code === 'ECONNREFUSED' || code === 'ENOTFOUND',
  };
}

/** fetch hides the system's code in a chain of causes, or in the first of several tries. */
function codeOf(thrown: unknown): string {
  let at: unknown = thrown;
  for (let depth = 0; depth < 5 && typeof at === 'object' && at !== null; depth++) {
    const { code, errors, cause } = at as { code?: unknown; errors?: unknown[]; cause?: unknown };
    if (typeof code === 'string') return code;
    at = cause ?? errors?.[0];
  }
  return '';
}

function originOf(url: string): string {
  return new URL(url).origin;
}
