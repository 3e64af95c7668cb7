/**
 * From a described endpoint and its handler to a route. A handler is a few lines: it gets parsed input and
 * gives a result.
 *
 * Law: policy before input, input before handler. What the description does not promise is not done: no
 * other method, key or status.
 */
import type { Hono } from 'hono';
import type {
  Endpoint,
  BodyOf,
  ParamsOf,
  QueryOf,
  ResponseOf,
} from '@makima/contracts/http/endpoint';
import { endpoints, type EndpointId, type Endpoints } from '@makima/contracts/http/all';
import { limits } from '@makima/domain/limits';
import type { Acted, Call, Engine } from '@makima/engine/context';
import type { Principal } from '@makima/engine/principal';
import { sessionOf } from './auth.ts';
import type { Api } from './context.ts';
import type { ApiCtx, ApiEnv } from './request.ts';
import { callOf, keyIdOf } from './idempotency.ts';
import { parseInput } from './parse-input.ts';
import { authorizeNoted } from './refusals.ts';
import { rateLimitHeaders } from './rate-limit.ts';
import { readJsonBody } from './read-body.ts';

/** The merged, parsed input of an endpoint. */
export type InputOf<E> = ParamsOf<E> & QueryOf<E> & BodyOf<E>;

export interface HandlerArgs<I> {
  readonly api: Api;
  readonly engine: Engine;
  readonly input: I;
  /** Who calls, and which call it is. */
  readonly call: Call;
  readonly caller: Principal;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
  readonly c: ApiCtx;
}

export interface Answer<R> {
  readonly result: R;
  /** The stored answer of an earlier call with the same key. */
  readonly replayed?: boolean;
  /** Another success than the described one, such as 202 with a handle. */
  readonly status?: 200 | 201 | 202;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A `Response` is for streams only. */
export type Handler<E> = (
  args: HandlerArgs<InputOf<E>>,
) => Promise<Answer<ResponseOf<E>> | Response>;
type AnyHandler = (args: HandlerArgs<unknown>) => Promise<Answer<unknown> | Response>;
export type Handlers = { readonly [K in EndpointId]: Handler<Endpoints[K]> };

/** A handler that only writes by one verb. */
export function writes<I, R>(
  verb: (engine: Engine, call: Call, input: I) => Promise<Acted<R>>,
): (args: HandlerArgs<I>) => Promise<Answer<R>> {
  return ({ engine, call, input }) => verb(engine, call, input);
}

/** A handler that only reads by one verb. */
export function reads<I, R>(
  verb: (engine: Engine, caller: Principal, input: I) => Promise<R>,
): (args: HandlerArgs<I>) => Promise<Answer<R>> {
  return async ({ engine, caller, input }) => ({ result: await verb(engine, caller, input) });
}

/** Every described endpoint becomes a route; the types see to it that each has a handler. */
export function mountAll(app: Hono<ApiEnv>, api: Api, handlers: Handlers): void {
  for (const [id, endpoint] of Object.entries(endpoints)) {
    const handler = handlers[id as EndpointId] as unknown as AnyHandler;
    mount(app, { api, endpoint: endpoint as unknown as Endpoint, handler });
  }
}

interface Mounted {
  readonly api: Api;
  readonly endpoint: Endpoint;
  readonly handler: AnyHandler;
}

function mount(app: Hono<ApiEnv>, mounted: Mounted): void {
  const { endpoint } = mounted;
  app.on(endpoint.method, routerPath(endpoint.path), (c) => serve(c, mounted));
}

/** `{id}` of the description is `:id` of the router. */
export function routerPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

async function serve(c: ApiCtx, { api, endpoint, handler }: Mounted): Promise<Response> {
  const isPublic = 'public' in endpoint.policy;
  const caller = isPublic ? nobody : sessionOf(c).principal;
  const headers: Record<string, string> = {};
  if (!isPublic) {
    Object.assign(headers, rateLimitHeaders(api.rates.take(keyIdOf(caller))));
    authorizeNoted(api, caller, { policy: endpoint.policy, action: endpoint.id });
  }
  const body = endpoint.method === 'GET' ? undefined : await readBody(c, api);
  const search = new URL(c.req.url).searchParams;
  c.set(
    'log',
    c.get('log').child({ endpoint: endpoint.id, ...subjectOf(c, endpoint), ...keyOf(caller) }),
  );
  const input = parseInput(endpoint, { params: c.req.param(), search, body });
  const call: Call =
    endpoint.idempotent === true
      ? callOf(
          caller,
          { get: (name) => c.req.header(name) },
          { act: `${endpoint.method} ${c.req.path}`, input: body },
        )
      : { caller };
  const args = { api, engine: api.engine, input, call, caller, signal: c.req.raw.signal, c };
  const answer = await handler(args);
  if (answer instanceof Response) {
    for (const [name, value] of Object.entries(headers)) answer.headers.set(name, value);
    return answer;
  }
  if (answer.replayed === true) headers['idempotent-replayed'] = 'true';
  return json(answer.status ?? endpoint.status, checked(api, endpoint, answer.result), {
    ...headers,
    ...answer.headers,
  });
}

/** What a line of the log is about. */
function subjectOf(c: ApiCtx, endpoint: Endpoint): Record<string, string> {
  const id = c.req.param('id');
  if (id === undefined) return {};
  const short = id.slice(0, 64);
  if (endpoint.path.includes('/contracts/{id}')) return { contractId: short };
  return endpoint.path.includes('/tasks/{id}') ? { taskId: short } : {};
}

function keyOf(caller: Principal): Record<string, string> {
  if (caller.kind === 'system') return {};
  if (caller.kind !== 'agent' || caller.contractId === null) return { keyId: caller.keyId };
  return { keyId: caller.keyId, callerContractId: caller.contractId };
}

/** Stands in for the caller of a public route; no verb of those looks at it. */
const nobody: Principal = { kind: 'system', ownerId: '', name: 'nobody' };

function readBody(c: ApiCtx, api: Api): Promise<unknown> {
  return readJsonBody(c.env.incoming, {
    maxBytes: api.engine.limits.httpBodyMaxBytes,
    maxDepth: limits.jsonMaxDepth,
    maxItems: limits.arrayMaxItems,
    odd: 'refuse',
  });
}

function json(status: number, value: unknown, headers: Record<string, string>): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { ...headers, 'content-type': 'application/json; charset=utf-8' },
  });
}

/** In tests an answer that its own description does not allow is a failure. */
function checked(api: Api, endpoint: Endpoint, result: unknown): unknown {
  if (api.responses === 'trusted') return result;
  const parsed = endpoint.response.safeParse(JSON.parse(JSON.stringify(result)));
  if (parsed.success) return result;
  throw new Error(`${endpoint.id} answered what it does not describe: ${parsed.error.message}`);
}
