/**
 * From an endpoint's description and its arguments to a request.
 *
 * Law: nothing about a route is written down here; a parameter that the description does not know is not
 * sent, one that is missing in the path is an error.
 */
import type { Endpoint } from '@makima/contracts/http/endpoint';
import { freshKey } from './chance.ts';

export interface RequestArgs {
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly body?: unknown;
  readonly idempotencyKey?: string | undefined;
}

export interface Prepared {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
}

/** `baseUrl` has no slash at its end; `key` is the bearer token, if there is one. */
export function prepareRequest(
  endpoint: Endpoint,
  args: RequestArgs,
  server: { baseUrl: string; key: string | undefined },
): Prepared {
  const hasBody = endpoint.body !== undefined;
  const headers: Record<string, string> = { accept: 'application/json, application/problem+json' };
  if (server.key !== undefined) headers['authorization'] = `Bearer ${server.key}`;
  if (hasBody) headers['content-type'] = 'application/json';
  if (endpoint.idempotent === true) {
    headers['idempotency-key'] = args.idempotencyKey ?? freshKey();
  }
  return {
    url: `${server.baseUrl}${pathOf(endpoint, args.params ?? {})}${queryOf(args.query ?? {})}`,
    method: endpoint.method,
    headers,
    body: hasBody ? JSON.stringify(args.body ?? {}) : undefined,
  };
}

function pathOf(endpoint: Endpoint, params: Readonly<Record<string, unknown>>): string {
  return endpoint.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    if (typeof value !== 'string' || value === '') {
      throw new TypeError(`${endpoint.id} needs the path parameter ${name}`);
    }
    return encodeURIComponent(value);
  });
}

function queryOf(query: Readonly<Record<string, unknown>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      search.append(name, String(value));
    } else if (Array.isArray(value)) search.append(name, value.join(','));
  }
  return search.size === 0 ? '' : `?${search.toString()}`;
}
