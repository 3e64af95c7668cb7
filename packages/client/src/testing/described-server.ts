/**
 * A small HTTP server made from the endpoint descriptions, for tests of programs that call the API.
 *
 * Why: a command line is tested as a process against a real socket, long before and far faster than against
 * a whole stack.
 * Law: it accepts what the descriptions accept and answers what they promise; a handler that answers
 * anything else is a failure of the test.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isMakimaError, MakimaError } from '@makima/domain/error';
import { endpointList, type EndpointId, type Endpoints } from '@makima/contracts/http/all';
import type {
  BodyOf,
  Endpoint,
  ParamsOf,
  QueryOf,
  ResponseOf,
} from '@makima/contracts/http/endpoint';
import { problemStatus, toProblem } from '@makima/contracts/problem';

export interface Received<E = unknown> {
  readonly id: EndpointId;
  readonly params: ParamsOf<E>;
  readonly query: QueryOf<E>;
  readonly body: BodyOf<E>;
  readonly headers: IncomingMessage['headers'];
  /** Aborts when the caller goes away. */
  readonly signal: AbortSignal;
}

export type Handlers = {
  readonly [K in EndpointId]?: (
    request: Received<Endpoints[K]>,
  ) => ResponseOf<Endpoints[K]> | Promise<ResponseOf<Endpoints[K]>>;
};

export interface DescribedServerOptions {
  /** Refuse every other bearer token with 401. */
  readonly key?: string;
  /** Sees each request first; true when it took it over (dropped the socket, answered by itself). */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export interface DescribedServer {
  readonly url: string;
  /** Every request that reached a handler, in order. */
  readonly received: readonly Received[];
  readonly close: () => Promise<void>;
}

type AnyHandler = (request: Received) => unknown;

export async function startDescribedServer(
  handlers: Handlers,
  options: DescribedServerOptions = {},
): Promise<DescribedServer> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    if (options.intercept?.(request, response)) return;
    void respond(request, response, { handlers, key: options.key, received });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Setting {
  readonly handlers: Handlers;
  readonly key: string | undefined;
  readonly received: Received[];
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  setting: Setting,
): Promise<void> {
  try {
    const { endpoint, body } = await handle(request, response, setting);
    write(response, endpoint.status, 'application/json', body);
  } catch (error) {
    const known = isMakimaError(error)
      ? error
      : new MakimaError('INTERNAL', error instanceof Error ? error.message : String(error));
    write(
      response,
      problemStatus[known.code],
      'application/problem+json',
      toProblem(known, 'req-test'),
    );
  }
}

function write(response: ServerResponse, status: number, type: string, body: unknown): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': type });
  response.end(JSON.stringify(body));
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  setting: Setting,
): Promise<{ endpoint: Endpoint; body: unknown }> {
  const url = new URL(request.url ?? '/', 'http://server');
  const found = findEndpoint(request.method ?? '', url.pathname);
  const handler = found && (setting.handlers[found.endpoint.id as EndpointId] as AnyHandler);
  if (!found || !handler) throw new MakimaError('NOT_FOUND', `no route ${url.pathname}`);
  const { endpoint } = found;
  if (setting.key !== undefined && request.headers.authorization !== `Bearer ${setting.key}`) {
    throw new MakimaError('UNAUTHENTICATED', 'this key is not valid');
  }
  const text = await readBody(request);
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const taken = {
    id: endpoint.id as EndpointId,
    params: accept(endpoint.params, found.params),
    query: accept(endpoint.query, Object.fromEntries(url.searchParams)),
    body: accept(endpoint.body, text === '' ? undefined : (JSON.parse(text) as unknown)),
    headers: request.headers,
    signal: gone.signal,
  } as unknown as Received;
  setting.received.push(taken);
  const answer = endpoint.response.safeParse(await handler(taken));
  if (!answer.success) {
    throw new MakimaError('INTERNAL', `handler of ${endpoint.id}: ${answer.error.message}`);
  }
  return { endpoint, body: answer.data };
}

function accept(schema: Endpoint['params'], value: unknown): unknown {
  if (schema === undefined) return value;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new MakimaError('VALIDATION_FAILED', 'the request is not valid', {
    details: {
      errors: parsed.error.issues.map((issue) => ({
        pointer: `/${issue.path.join('/')}`,
        detail: issue.message,
      })),
    },
  });
}

function findEndpoint(
  method: string,
  path: string,
): { endpoint: Endpoint; params: Record<string, string> } | undefined {
  for (const endpoint of endpointList) {
    if (endpoint.method !== method) continue;
    const pattern = endpoint.path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
    const match = new RegExp(`^${pattern}$`).exec(path);
    if (!match) continue;
    const params = Object.entries(match.groups ?? {}).map(([name, value]) => [
      name,
      decodeURIComponent(value),
    ]);
    return { endpoint, params: Object.fromEntries(params) as Record<string, string> };
  }
  return undefined;
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = '';
  request.setEncoding('utf8');
  for await (const chunk of request) text += String(chunk);
  return text;
}
