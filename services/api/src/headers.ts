/**
 * Headers of every answer: version, request id, and those that tell a browser to do nothing with it.
 *
 * Law: a page that needs more than nothing (reference, queues) sets its own policy; nobody sets CORS.
 */
import type { MiddlewareHandler } from 'hono';
import { mintId } from '@makima/contracts/ids';
import { randomBytes } from 'node:crypto';
import { inSpan } from '@makima/runtime/tracing';
import type { Api } from './context.ts';
import type { ApiEnv } from './request.ts';

const nothing =
  "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox";

const always: Readonly<Record<string, string>> = {
  'content-security-policy': nothing,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** Begins a request: its id, its log, its headers, its line in the log at the end. */
export function withHeaders(api: Api): MiddlewareHandler<ApiEnv> {
  const fixed: Record<string, string> = { ...always, 'makima-version': api.version };
  if (api.scheme === 'https') fixed['strict-transport-security'] = 'max-age=31536000';
  const seconds = api.metrics.histogram({
    name: 'makima_http_request_seconds',
    help: 'Requests by route and status class, until the answer begins.',
    labels: ['route', 'status'],
  });
  return async (c, next) => {
    const since = performance.now();
    const requestId = newRequestId();
    c.set('requestId', requestId);
    c.set('log', api.log.child({ requestId }));
    const parent = c.req.header('traceparent');
    await inSpan({ name: c.req.method, parent }, async (span) => {
      await next();
      span.rename(`${c.req.method} ${routeOf(c.req.routePath)}`);
    });
    const { headers, status } = c.res;
    for (const [name, value] of Object.entries(fixed)) {
      if (!headers.has(name)) headers.set(name, value);
    }
    headers.set('request-id', requestId);
    const tookMs = performance.now() - since;
    seconds.observe(
      { route: routeOf(c.req.routePath), status: `${Math.floor(status / 100)}xx` },
      tookMs / 1_000,
    );
    const level = status >= 500 ? 'warn' : c.req.method === 'GET' ? 'debug' : 'info';
    c.get('log')[level](
      { method: c.req.method, path: c.req.path, status, tookMs: Math.round(tookMs) },
      'request',
    );
  };
}

export function newRequestId(): string {
  return mintId(Date.now(), randomBytes(10));
}

/** A closed set of words: patterns, never what a caller sent. */
function routeOf(pattern: string): string {
  return pattern === '*' || pattern === '/*' ? 'none' : pattern;
}
