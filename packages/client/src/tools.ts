/**
 * Calls makima's tools over MCP's streamable HTTP: the API's own door with a key, or the loopback door that a
 * daemon gives its agents, with the token of a run.
 *
 * Law: a call carries a tool-use id, the same for all its tries, so that it has one effect; it resolves to the
 * tool's value or throws a MakimaError (or the caller's own abort).
 */
import { MakimaError } from '@makima/domain/error';
import { fromProblem, problemInMeta, zProblem } from '@makima/contracts/problem';
import { chance, freshKey } from './chance.ts';
import { exchange, type Fetch } from './exchange.ts';
import { pause } from './pause.ts';
import type { Prepared } from './request.ts';
import { retryDelayMs, retryLimits } from './retry.ts';

export interface ToolClientOptions {
  /** The door itself, e.g. `http://127.0.0.1:7400/mcp`. */
  readonly url: string;
  readonly key?: string | undefined;
  readonly fetch?: Fetch | undefined;
  /** Called before each wait for another try. */
  readonly onRetry?:
    | ((note: { readonly error: MakimaError; readonly delayMs: number }) => void)
    | undefined;
}

export interface ToolCallOptions {
  /** The same id is the same call. A fresh one by default. */
  readonly toolUseId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ToolClient {
  /** The tool's structured value. Errors: those of the verb behind it, and DEPENDENCY_UNAVAILABLE. */
  call(
    name: string,
    args: Readonly<Record<string, unknown>>,
    options?: ToolCallOptions,
  ): Promise<Record<string, unknown>>;
}

/** Above the longest hold of a tool. */
const callTimeoutMs = 280_000;
const protocolVersion = '2025-11-25';
/** A tool use has one effect, so that its POST may be repeated. */
const repeatable = { method: 'POST', idempotent: true } as const;

export function createToolClient(options: ToolClientOptions): ToolClient {
  return {
    async call(name, args, { toolUseId = freshKey(), signal } = {}) {
      const request = requestOf(options, name, args, toolUseId);
      const fetch = options.fetch ?? globalThis.fetch;
      for (let attempt = 1; ; attempt++) {
        const outcome = await exchange(request, {
          fetch,
          timeoutMs: callTimeoutMs,
          signal,
          parse: (text) => messageOf(text, toolUseId),
        });
        const failure = outcome.ok ? failureIn(outcome.body) : outcome;
        if (outcome.ok && failure === null) return valueOf(outcome.body);
        if (failure === null) throw unreadable();
        const { tries } = retryLimits;
        const delayMs = retryDelayMs(repeatable, failure, { attempt, tries, chance });
        if (delayMs === null) throw failure.error;
        options.onRetry?.({ error: failure.error, delayMs });
        await pause(delayMs, signal);
      }
    },
  };
}

function requestOf(
  options: ToolClientOptions,
  name: string,
  args: Readonly<Record<string, unknown>>,
  toolUseId: string,
): Prepared {
  const _meta = { 'makima/toolUseId': toolUseId, progressToken: toolUseId };
  const params = { name, arguments: args, _meta };
  return {
    url: options.url,
    method: 'POST',
    headers: {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': protocolVersion,
      ...(options.key === undefined ? {} : { authorization: `Bearer ${options.key}` }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: toolUseId, method: 'tools/call', params }),
  };
}

/** The JSON of a body, or of the event in a stream that answers this call. */
function messageOf(text: string, id: string): unknown {
  const whole = jsonOf(text);
  if (whole !== undefined) return whole;
  for (const event of text.split(/\r?\n\r?\n/)) {
    const data = event
      .split(/\r?\n/)
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).trimStart())
      .join('\n');
    const message = jsonOf(data);
    if (isRecord(message) && message['id'] === id) return message;
  }
  return undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function failureIn(body: unknown) {
  const error = errorIn(body);
  if (error === null) return null;
  const status = error.code === 'DEPENDENCY_UNAVAILABLE' ? 503 : 200;
  return { error, status, retryAfterMs: null, neverSent: false };
}

/** What the door or the tool refused; null when the call went well. */
function errorIn(body: unknown): MakimaError | null {
  if (!isRecord(body)) return unreadable();
  if (isRecord(body['error'])) return refusedByDoor(body['error']);
  const result = body['result'];
  if (!isRecord(result)) return unreadable();
  if (result['isError'] !== true) return null;
  const meta = isRecord(result['_meta']) ? result['_meta'] : {};
  const problem = zProblem.safeParse(meta[problemInMeta]);
  if (problem.success) return fromProblem(problem.data);
  // What a tool refuses before it runs is its input.
  return new MakimaError('VALIDATION_FAILED', textOf(result).slice(0, 2_000));
}

function refusedByDoor(error: Record<string, unknown>): MakimaError {
  const message = typeof error['message'] === 'string' ? error['message'] : 'the call was refused';
  const data = isRecord(error['data']) ? error['data'] : {};
  if (data['retryable'] === true)
    return new MakimaError('DEPENDENCY_UNAVAILABLE', message, { retryable: true });
  return new MakimaError('VALIDATION_FAILED', message);
}

function valueOf(body: unknown): Record<string, unknown> {
  const result = isRecord(body) && isRecord(body['result']) ? body['result'] : {};
  if (isRecord(result['structuredContent'])) return result['structuredContent'];
  throw unreadable();
}

function textOf(result: Record<string, unknown>): string {
  const content = Array.isArray(result['content']) ? (result['content'] as unknown[]) : [];
  return content
    .map((part) => (isRecord(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .join('\n');
}

function unreadable(): MakimaError {
  return new MakimaError('INTERNAL', 'the tools answered in an unknown shape', {
    fix: 'check the address: another program may listen there',
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
