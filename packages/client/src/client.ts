/**
 * The typed client of makima's HTTP API, made from the endpoint descriptions.
 *
 * Why: one description serves the route, its document and its callers; there is no second list of routes.
 * Law: a call resolves to the described response or throws a MakimaError (or the caller's own abort).
 */
import type { z } from 'zod';
import { endpoints, type EndpointId, type Endpoints } from '@makima/contracts/http/all';
import type {
  BodyInputOf,
  BodyOf,
  Endpoint,
  ParamsOf,
  QueryOf,
  ResponseOf,
} from '@makima/contracts/http/endpoint';
import type { MakimaError } from '@makima/domain/error';
import { parseAnswer } from './answer.ts';
import { chance } from './chance.ts';
import { exchange, type Fetch } from './exchange.ts';
import { pause } from './pause.ts';
import { prepareRequest, type RequestArgs } from './request.ts';
import { retryDelayMs, retryLimits } from './retry.ts';

export interface RetryNote {
  readonly endpoint: EndpointId;
  readonly error: MakimaError;
  /** Tries made so far. */
  readonly attempt: number;
  readonly delayMs: number;
}

export interface ClientOptions {
  /** Where the API is served, with or without a path, e.g. `http://127.0.0.1:7400`. */
  readonly baseUrl: string;
  /** The bearer token; without one only public endpoints answer. */
  readonly key?: string | undefined;
  readonly fetch?: Fetch | undefined;
  /** Called before each wait for another try. */
  readonly onRetry?: ((note: RetryNote) => void) | undefined;
  /** Tries in all, from 1. */
  readonly tries?: number | undefined;
}

export interface CallOptions {
  /** Sent with endpoints that honour it; a fresh one by default, the same for all tries of a call. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
  /** Longest time for one try; above the longest hold of an endpoint. */
  readonly timeoutMs?: number;
  /** Tries in all, instead of the client's own number. */
  readonly tries?: number;
}

// An endpoint that describes no parameters, query or body infers `unknown` there.
type ParamsArg<E> =
  unknown extends ParamsOf<E> ? { readonly params?: never } : { readonly params: ParamsOf<E> };
type QueryArg<E> =
  unknown extends QueryOf<E>
    ? { readonly query?: never }
    : { readonly query?: Partial<QueryOf<E>> };
type BodyArg<E> =
  unknown extends BodyOf<E>
    ? { readonly body?: never }
    : object extends BodyInputOf<E>
      ? { readonly body?: BodyInputOf<E> }
      : { readonly body: BodyInputOf<E> };

export type CallArgs<E> = ParamsArg<E> & QueryArg<E> & BodyArg<E> & CallOptions;
export type Answer<K extends EndpointId> = ResponseOf<Endpoints[K]>;

type ArgsOf<K extends EndpointId> =
  object extends CallArgs<Endpoints[K]>
    ? [args?: CallArgs<Endpoints[K]>]
    : [args: CallArgs<Endpoints[K]>];

export interface Client {
  readonly baseUrl: string;
  /** Opens a socket at this path, with the client's key; with these protocols instead when they are given. */
  socket(path: string, protocols?: readonly string[]): WebSocket;
  /** Calls an endpoint by its id. Errors: those of its description, and DEPENDENCY_UNAVAILABLE. */
  call<K extends EndpointId>(id: K, ...args: ArgsOf<K>): Promise<Answer<K>>;
  /** The same, with the response read by another schema: for readers that must accept what is new. */
  callAs<K extends EndpointId, S extends z.ZodType>(
    id: K,
    schema: S,
    ...args: ArgsOf<K>
  ): Promise<z.output<S>>;
}

const callTimeoutMs = 90_000;

/** What every endpoint's arguments have in common, once their types have done their work. */
type RunArgs = RequestArgs & CallOptions;

export function createClient(options: ClientOptions): Client {
  const baseUrl = options.baseUrl.replace(/\/+$/, '');
  const run = async (id: EndpointId, args: RunArgs, schema?: z.ZodType): Promise<unknown> => {
    const endpoint = endpoints[id] as unknown as Endpoint;
    const body = await send({ ...options, baseUrl }, endpoint, args);
    return parseAnswer(endpoint, schema ?? endpoint.response, body);
  };
  return {
    baseUrl,
    socket: (path, protocols) => {
      const url = `${baseUrl.replace(/^http/, 'ws')}${path}`;
      if (protocols !== undefined) return new WebSocket(url, [...protocols]);
      return new WebSocket(url, {
        headers: options.key === undefined ? {} : { authorization: `Bearer ${options.key}` },
      });
    },
    call: (id, ...args) => run(id, (args[0] ?? {}) as RunArgs) as never,
    callAs: (id, schema, ...args) => run(id, (args[0] ?? {}) as RunArgs, schema) as never,
  };
}

/** Tries until there is an answer or no hope; one Idempotency-Key for all tries. */
async function send(options: ClientOptions, endpoint: Endpoint, args: RunArgs): Promise<unknown> {
  const { signal, timeoutMs = callTimeoutMs } = args;
  const request = prepareRequest(endpoint, args, { baseUrl: options.baseUrl, key: options.key });
  const fetch = options.fetch ?? globalThis.fetch;
  const tries = args.tries ?? options.tries ?? retryLimits.tries;
  for (let attempt = 1; ; attempt++) {
    const outcome = await exchange(request, { fetch, timeoutMs, signal });
    if (outcome.ok) return outcome.body;
    const delayMs = retryDelayMs(endpoint, outcome, { attempt, tries, chance });
    if (delayMs === null) throw outcome.error;
    const { error } = outcome;
    options.onRetry?.({ endpoint: endpoint.id as EndpointId, error, attempt, delayMs });
    await pause(delayMs, signal);
  }
}
