/**
 * Which names this server answers to, and which pages may talk to it. A browser that was led to
 * `attacker.example` resolving to 127.0.0.1 sends that name as Host: it is refused before any handler.
 *
 * Law: Host and Origin are checked on every request, also on loopback and on public routes. There are no
 * CORS headers, ever.
 */
import type { IncomingMessage } from 'node:http';
import { MakimaError } from '@makima/domain/error';
import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from './request.ts';

export interface HostGuard {
  /** Whether a Host header names this server. */
  allowsHost(host: string | undefined): boolean;
  /** Whether a page of this origin may call a server that is addressed as `host`. */
  allowsOrigin(origin: string, host: string): boolean;
}

const loopbackNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

export interface HostGuardOptions {
  readonly publicUrl?: string | undefined;
  /** Names with or without a port; without one, any port will do. */
  readonly allowedHosts?: readonly string[] | undefined;
}

export function createHostGuard(options: HostGuardOptions): HostGuard {
  const names = new Set(loopbackNames);
  const exact = new Set<string>();
  for (const entry of options.allowedHosts ?? []) {
    const host = entry.toLowerCase();
    (splitHost(host)?.port === undefined ? names : exact).add(host);
  }
  if (options.publicUrl !== undefined) {
    const url = new URL(options.publicUrl);
    exact.add(url.host.toLowerCase());
    // Behind a proxy the port of the public address may be dropped or kept.
    if (url.port === '') names.add(url.hostname.toLowerCase());
  }
  const allowsHost = (host: string | undefined): boolean => {
    const parts = host === undefined ? undefined : splitHost(host.toLowerCase());
    if (parts === undefined) return false;
    return names.has(parts.name) || exact.has(parts.whole);
  };
  return {
    allowsHost,
    allowsOrigin(origin, host) {
      if (!URL.canParse(origin)) return false;
      const url = new URL(origin);
      if (url.protocol !== 'http:' && url.protocol !== 'https:') return false;
      return (
        url.origin === origin.toLowerCase() &&
        url.host === host.toLowerCase() &&
        allowsHost(url.host)
      );
    },
  };
}

/** Is this name one that only this machine can mean? */
export function isLoopbackHost(host: string): boolean {
  const parts = splitHost(host.toLowerCase());
  return parts !== undefined && loopbackNames.has(parts.name);
}

export function guardHost(guard: HostGuard): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    checkHost(guard, c.env.incoming);
    await next();
  };
}

/** Throws MISDIRECTED_REQUEST or FORBIDDEN. */
export function checkHost(guard: HostGuard, { headers, method }: IncomingMessage): void {
  const { host, origin } = headers;
  if (host === undefined || !guard.allowsHost(host)) {
    throw new MakimaError('MISDIRECTED_REQUEST', 'this server does not go by that name', {
      fix: 'add the name to MAKIMA_ALLOWED_HOSTS if it is yours',
    });
  }
  const navigates = headers['sec-fetch-mode'] === 'navigate' && method === 'GET';
  const crossSite = headers['sec-fetch-site'] === 'cross-site' && !navigates;
  if (crossSite || (origin !== undefined && !guard.allowsOrigin(origin, host))) {
    throw new MakimaError('FORBIDDEN', 'pages of other sites may not call this server', {
      fix: 'open a page of this server at its own address, or call it from a program',
    });
  }
}

interface HostParts {
  readonly name: string;
  readonly port: string | undefined;
  readonly whole: string;
}

function splitHost(host: string): HostParts | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::(\d{1,5}))?$/.exec(host);
  if (match?.[1] === undefined) return undefined;
  return { name: match[1], port: match[2], whole: host };
}
