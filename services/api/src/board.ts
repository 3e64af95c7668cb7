/**
 * Bull Board below `/admin/queues`, for owners: by header like everything else, or in a browser by the
 * cookie that `POST /admin/session` gives for an owner's key.
 *
 * Law: it shows and does not act. Whoever is no owner sees nothing of it, however the path is spelled.
 */
import type { Hono, MiddlewareHandler } from 'hono';
import { z } from 'zod';
import { createBoard } from '@makima/bus/board';
import { MakimaError } from '@makima/domain/error';
import {
  adminCookieHeader,
  adminCookieOf,
  adminSessionMs,
  sealSession,
  unsealSession,
} from './admin-session.ts';
import { adminPage, adminPagePolicy } from './admin-page.ts';
import { unauthenticated } from './auth.ts';
import type { Api } from './context.ts';
import { remoteAddress, type ApiCtx, type ApiEnv, type Session } from './request.ts';
import { authorize } from './policy.ts';
import { invalid, problemResponse } from './problem.ts';
import { readJsonBody } from './read-body.ts';

const owners = { person: 'owner', tool: 'none', daemon: false } as const;
export const boardPath = '/admin/queues';

/** The board's own scripts and styles; the fonts it would fetch from elsewhere stay out. */
const boardPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'none'";

const zKeyBody = z.strictObject({ key: z.string().min(1).max(300) });

export function mountBoard(app: Hono<ApiEnv>, api: Api): void {
  app.get('/admin', () => page(200));
  app.post('/admin/session', (c) => openSession(c, api));
  app.delete('/admin/session', () => json({ ended: true }, adminCookieHeader('', api.scheme)));
  const guard = ownersOnly();
  app.use(boardPath, guard);
  app.use(`${boardPath}/*`, guard);
  app.route(boardPath, createBoard(api.bus, { basePath: boardPath }) as unknown as Hono<ApiEnv>);
}

/** The session behind a cookie; undefined when the request has none that is good. */
export async function cookieSession(c: ApiCtx, api: Api): Promise<Session | undefined> {
  const value = adminCookieOf(c.req.header('cookie'));
  const token = value === undefined ? undefined : unsealSession(api.sealingKey, value, Date.now());
  if (token === undefined) return undefined;
  const principal = await api.auth.check(token);
  return principal === null ? undefined : { principal, token };
}

/** Is this a path that a cookie opens? */
export function isBoardPath(path: string): boolean {
  return path === boardPath || path.startsWith(`${boardPath}/`);
}

/** For a browser without a session the refusal is the page that asks for a key. */
export function askForKey(c: ApiCtx, thrown: unknown): Response {
  const wantsPage = (c.req.header('accept') ?? '').includes('text/html');
  return wantsPage ? page(401) : problemResponse(c, thrown);
}

function ownersOnly(): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const session = c.get('session');
    if (session === undefined) throw unauthenticated();
    authorize(owners, session.principal);
    if (c.req.method !== 'GET') {
      throw new MakimaError('METHOD_NOT_ALLOWED', 'the board shows and does not act', {
        details: { allow: ['GET', 'HEAD'] },
      });
    }
    await next();
    c.res.headers.set('content-security-policy', boardPolicy);
  };
}

async function openSession(c: ApiCtx, api: Api): Promise<Response> {
  const body = await readJsonBody(c.env.incoming, {
    maxBytes: 4_096,
    maxDepth: 4,
    maxItems: 10,
    odd: 'refuse',
  });
  const parsed = zKeyBody.safeParse(body ?? {});
  if (!parsed.success) throw invalid([{ pointer: '/key', detail: 'is needed, and nothing else' }]);
  const principal = await api.auth.check(parsed.data.key);
  if (principal === null) {
    api.failures.count(remoteAddress(c));
    throw api.failures.refusal(remoteAddress(c)) ?? unauthenticated();
  }
  authorize(owners, principal);
  const nowMs = Date.now();
  const cookie = adminCookieHeader(sealSession(api.sealingKey, parsed.data.key, nowMs), api.scheme);
  return json({ expiresAt: new Date(nowMs + adminSessionMs).toISOString() }, cookie);
}

function page(status: 200 | 401): Response {
  return new Response(adminPage, {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': adminPagePolicy,
    },
  });
}

function json(value: unknown, cookie: string): Response {
  return new Response(JSON.stringify(value), {
    headers: { 'content-type': 'application/json; charset=utf-8', 'set-cookie': cookie },
  });
}
