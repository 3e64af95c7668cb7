/**
 * One POST to an address that somebody typed.
 *
 * Law: the name is resolved once, every address that it has must be public (or the host allowed), and the
 * connection goes to one of those and nowhere else. Redirects are answers, not ways. Time, answer and
 * headers are bounded; nothing throws.
 */
import { lookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import {
  hostOf,
  isAllowedHost,
  isLoopbackAddress,
  isPublicAddress,
  objectionTo,
} from '@makima/engine/webhook/address';

export interface Posted {
  /** Null when no answer came; then `error` says why. */
  readonly status: number | null;
  /** The first bytes of the answer as text. */
  readonly answer: string | null;
  readonly error: string | null;
  readonly durationMs: number;
  /** What the answer's Retry-After asks for. */
  readonly retryAfterMs: number | null;
}

export interface PostOptions {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly allowedHosts: readonly string[];
  readonly signal: AbortSignal;
  /** The whole of it: name, connection, answer. */
  readonly limitMs?: number;
  /** All addresses of a name; by default what the system says. */
  readonly resolve?: Resolve;
}

export type Resolve = (host: string) => Promise<readonly Address[]>;

export interface Address {
  readonly address: string;
  readonly family: number;
}

const defaultLimitMs = 10_000;
/** After the status came; whoever trickles its answer has answered. */
const bodyLimitMs = 1_000;
const answerBytes = 2_048;
const headerBytes = 16_384;

export async function post(options: PostOptions): Promise<Posted> {
  const since = performance.now();
  const durationMs = (): number => Math.round(performance.now() - since);
  const timeout = AbortSignal.timeout(options.limitMs ?? defaultLimitMs);
  const signal = AbortSignal.any([options.signal, timeout]);
  try {
    const response = await send(options, signal);
    const answer = await beginningOf(response);
    return {
      status: response.statusCode ?? null,
      answer,
      error: null,
      durationMs: durationMs(),
      retryAfterMs: retryAfterMs(response),
    };
  } catch (error) {
    const why = options.signal.aborted
      ? 'makima stopped before an answer came'
      : timeout.aborted
        ? `no answer within ${options.limitMs ?? defaultLimitMs} ms`
        : wordsOf(error);
    return { status: null, answer: null, error: why, durationMs: durationMs(), retryAfterMs: null };
  }
}

async function send(options: PostOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const url = new URL(options.url);
  const objection = objectionTo(url, options.allowedHosts);
  if (objection !== undefined) throw new Error(`not sent: ${objection}`);
  const address = await raced(addressOf(url, options), signal);
  const body = Buffer.from(options.body);
  const request: RequestOptions & { servername?: string } = {
    method: 'POST',
    // Every connection is its own: none is left over that was made for another name.
    agent: false,
    lookup: (_name, _options, found) => found(null, [address]),
    headers: {
      'content-type': 'application/json',
      'content-length': String(body.byteLength),
      'user-agent': 'makima-webhooks/1',
      accept: '*/*',
      ...options.headers,
    },
    maxHeaderSize: headerBytes,
    signal,
  };
  const begin = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const sent = begin(url, request, resolve);
    sent.once('error', reject);
    sent.end(body);
  });
}

const systemResolve: Resolve = (host) => lookup(host, { all: true, verbatim: true });

/** One of the host's addresses, after all of them have been looked at. */
async function addressOf(
  url: URL,
  { allowedHosts: allowed, resolve = systemResolve }: PostOptions,
): Promise<Address> {
  const host = hostOf(url);
  const family = isIP(host);
  const all = family === 0 ? await resolve(host) : [{ address: host, family }];
  const isAllowed = isAllowedHost(url, allowed);
  for (const { address } of all) {
    const mayGo =
      url.protocol === 'http:'
        ? isAllowed && isLoopbackAddress(address)
        : isAllowed || isPublicAddress(address);
    if (!mayGo) throw new Error(`not sent: ${host} is ${address}, which is not a public address`);
  }
  const [first] = all;
  if (first === undefined) throw new Error(`not sent: ${host} has no address`);
  return first;
}

/** A name server that does not answer cannot be called off; nobody waits for it. */
function raced<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new Error('the name was not resolved in time'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** As much as is wanted of it, or as much as came in time; the rest is not read. */
function beginningOf(response: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const done = (): void => {
      clearTimeout(timer);
      response.destroy();
      resolve(Buffer.concat(chunks).subarray(0, answerBytes).toString());
    };
    const timer = setTimeout(done, bodyLimitMs);
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size >= answerBytes) done();
    });
    // Its status has come: an answer that breaks off is an answer.
    response.once('end', done).once('error', done).once('close', done);
  });
}

function retryAfterMs(response: IncomingMessage): number | null {
  const value = response.headers['retry-after'];
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) * 1_000 : null;
}

/** What went wrong, with the code that people search for. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
  const [first] = error instanceof AggregateError ? error.errors : [];
  if (error.message === '' && first instanceof Error) return wordsOf(first);
  return error.message.includes(code) ? error.message : `${code}${error.message}`;
}
