/**
 * `/metrics` on the API's own port: for this machine, or for an owner's key from elsewhere.
 *
 * Law: a proxy on this machine also comes from 127.0.0.1; what it forwards names another host or says that
 * it was forwarded, and is not this machine.
 */
import type { Hono } from 'hono';
import type { Api } from './context.ts';
import { remoteAddress, type ApiCtx, type ApiEnv } from './request.ts';
import { isLoopbackHost } from './guard-host.ts';
import { authorize } from './policy.ts';

const owners = { person: 'owner', tool: 'none', daemon: false } as const;
const loopback = /^(?:127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;
const forwardedBy = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'];

export function mountMetrics(app: Hono<ApiEnv>, api: Api): void {
  app.get('/metrics', async (c) => {
    if (!isThisMachine(c)) authorize(owners, (await api.auth.session(c)).principal);
    return new Response(await api.metrics.text(), {
      headers: { 'content-type': api.metrics.contentType },
    });
  });
}

function isThisMachine(c: ApiCtx): boolean {
  const { headers } = c.env.incoming;
  if (forwardedBy.some((name) => headers[name] !== undefined)) return false;
  return loopback.test(remoteAddress(c)) && isLoopbackHost(headers.host ?? '');
}
