/**
 * One tool call: the agent's body to the API with the run's key, the API's answer back as it comes. An API
 * that dies in the middle is waited for and asked again, so that its restart is no event for the agent.
 *
 * Law: a call that was sent goes up again only when it is the same call to the API too (it carries the
 * agent's tool-use id, or changes nothing). When the agent goes away, the call upstream ends; when the API
 * stays away, the agent reads a JSON-RPC error that tells whether to try again.
 */
import {
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { passBack, readCall, type WantedCall } from './pass-back.ts';
import type { ToolRun } from './runs.ts';

export interface ForwardOptions {
  readonly apiUrl: string;
  readonly run: ToolRun;
  readonly bodyBytes: number;
  /** How long an API that refuses connections is waited for. */
  readonly retryMs: number;
  readonly holdMs: number;
}

/** Headers of MCP that pass through. Everything else is ours or nobody's. */
const passedUp = [
  'content-type',
  'accept',
  'mcp-protocol-version',
  'mcp-session-id',
  'mcp-method',
  'mcp-name',
  'last-event-id',
];

export async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  options: ForwardOptions,
): Promise<void> {
  const body = await readBody(request, options.bodyBytes);
  if (body === null) {
    response.writeHead(413, { 'content-type': 'application/json', connection: 'close' });
    response.end(rpcError(null, 'The call is too large.', { retryable: false }));
    return;
  }
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(options.holdMs)]);
  try {
    await callWithPatience(
      { request, response, body, wanted: readCall(body) },
      { ...options, signal },
    );
  } catch (error) {
    if (gone.signal.aborted || response.headersSent) {
      response.destroy();
      return;
    }
    const late = signal.aborted;
    const words = late ? 'The call took too long.' : 'The control plane cannot be reached.';
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      rpcError(body, `${words} Try the same call again in a moment.`, { retryable: true }),
    );
    if (!late && !isNetworkFailure(error)) throw error;
  }
}

interface Call extends ForwardOptions {
  readonly signal: AbortSignal;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
  readonly wanted: WantedCall;
}

/** A refused connection changed nothing; a call that may be repeated is, until the patience is over. */
async function callWithPatience(exchange: Exchange, call: Call): Promise<void> {
  let until = performance.now() + call.retryMs;
  for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, 2_000)) {
    try {
      const answer = await callOnce(exchange.request, exchange.body, call);
      // It answers: whatever happens from here on is a new absence.
      until = performance.now() + call.retryMs;
      await passBack(answer, exchange.response, exchange.wanted);
      return;
    } catch (error) {
      if (call.signal.aborted) throw error;
      const repeatable = codeOf(error) === 'ECONNREFUSED' || exchange.wanted.repeatable;
      if (!repeatable || performance.now() + waitMs > until) throw error;
      await pause(waitMs, undefined, { signal: call.signal });
    }
  }
}

function callOnce(request: IncomingMessage, body: Buffer, call: Call): Promise<IncomingMessage> {
  const url = new URL('/mcp', call.apiUrl);
  const headers: Record<string, string | string[]> = {
    authorization: `Bearer ${call.run.toolKey}`,
    'x-makima-run': `${call.run.taskId}/${call.run.attempt}`,
    'content-length': String(body.length),
  };
  for (const name of passedUp) {
    const value = request.headers[name];
    if (value !== undefined) headers[name] = value;
  }
  // No kept connection: one that the API closes in this very moment would look like a call cut off.
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const upstream: ClientRequest = send(url, {
      method: 'POST',
      headers,
      signal: call.signal,
      agent: false,
    });
    upstream.on('response', resolve);
    upstream.on('error', reject);
    upstream.end(body);
  });
}

/** The whole body, or null when it is larger than it may be. */
async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > limitBytes) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function rpcError(body: Buffer | null, message: string, data: object): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    id: idOf(body),
    error: { code: -32_000, message, data },
  });
}

function idOf(body: Buffer | null): string | number | null {
  try {
    const call: unknown = JSON.parse(body?.toString() ?? 'null');
    const id = typeof call === 'object' && call !== null && 'id' in call ? call.id : null;
    return typeof id === 'string' || typeof id === 'number' ? id : null;
  } catch {
    return null;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function isNetworkFailure(error: unknown): boolean {
  return (
    /^E[A-Z]+$|^UND_|ABORT/.test(codeOf(error)) ||
    (error instanceof Error && error.name === 'AbortError')
  );
}
