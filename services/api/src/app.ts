/**
 * The whole HTTP surface: what every request passes, in order, and then the routes.
 *
 * Law: deny by default. Path, Host and Origin are checked first, then who it is; the few routes without a
 * key are listed here. Whatever fails, fails as problem+json.
 */
import { Hono, type MiddlewareHandler } from 'hono';
import { endpointList } from '@makima/contracts/http/all';
import { asMakimaError, problemResponse } from './problem.ts';
import { askForKey, cookieSession, isBoardPath, mountBoard } from './board.ts';
import type { Api } from './context.ts';
import type { ApiCtx, ApiEnv } from './request.ts';
import { guardHost } from './guard-host.ts';
import { guardPath } from './guard-path.ts';
import { withHeaders } from './headers.ts';
import { mountMcp } from './mcp.ts';
import { mountMetrics } from './metrics-route.ts';
import { mountAll } from './mount.ts';
import { noRoute } from './nearest-route.ts';
import { mountReference } from './reference.ts';
import { codeHandlers } from './routes/code.ts';
import { contractHandlers } from './routes/contracts.ts';
import { directiveHandlers } from './routes/directives.ts';
import { monitoringHandlers } from './routes/monitoring.ts';
import { questionHandlers } from './routes/questions.ts';
import { systemHandlers } from './routes/system.ts';
import { taskHandlers } from './routes/tasks.ts';
import { batchHandlers } from './routes/batch.ts';
import { contractTypeHandlers } from './routes/contract-types.ts';
import { webhookHandlers } from './routes/webhooks.ts';

export interface AppOptions {
  readonly publicUrl?: string | undefined;
}

export function buildApp(api: Api, options: AppOptions = {}): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.onError((error, c) => problemResponse(c, error));
  app.notFound((c) => problemResponse(c, noRoute(c.req.method, c.req.path)));
  app.use(withHeaders(api));
  app.use(guardPath());
  app.use(guardHost(api.hosts));
  app.use(identify(api));
  mountAll(app, api, {
    ...codeHandlers,
    ...contractHandlers,
    ...directiveHandlers,
    ...monitoringHandlers,
    ...questionHandlers,
    ...systemHandlers,
    ...taskHandlers,
    ...batchHandlers,
    ...contractTypeHandlers,
    ...webhookHandlers,
  });
  mountMcp(app, api);
  mountMetrics(app, api);
  mountBoard(app, api);
  mountReference(app, api, options);
  return app;
}

/** Routes that need no key, as they are matched: method and whole path. */
const publicPaths: ReadonlySet<string> = new Set([
  ...endpointList.filter((e) => 'public' in e.policy).map((e) => `${e.method} ${e.path}`),
  'GET /openapi.json',
  'GET /reference',
  'GET /reference/problems',
  'GET /admin',
  'POST /admin/session',
  'DELETE /admin/session',
  // Decides for itself: this machine, or an owner's key.
  'GET /metrics',
]);

export function isPublic(method: string, path: string): boolean {
  const asked = method === 'HEAD' ? 'GET' : method;
  return (
    publicPaths.has(`${asked} ${path}`) ||
    (asked === 'GET' && /^\/reference\/[a-z0-9.-]+$/.test(path))
  );
}

function identify(api: Api): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    if (isPublic(c.req.method, c.req.path)) return next();
    const byCookie = isBoardPath(c.req.path) && c.req.header('authorization') === undefined;
    try {
      const session = byCookie ? await cookieSession(c, api) : undefined;
      c.set('session', session ?? (await api.auth.session(c)));
    } catch (error) {
      if (byCookie && isGet(c) && asMakimaError(error).code === 'UNAUTHENTICATED')
        return askForKey(c, error);
      throw error;
    }
    await next();
  };
}

function isGet(c: ApiCtx): boolean {
  return c.req.method === 'GET' || c.req.method === 'HEAD';
}
