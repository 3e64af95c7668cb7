/**
 * Calls a tool over MCP streamable HTTP, with the plain HTTP of Node: no time limit of its own, since a tool
 * may wait for a person.
 *
 * Law: a call is repeated only under the same tool-use id (the server answers it once); after five failures of
 * the connection it gives up with the reason.
 */
import { request as httpRequest } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { isPlain } from './script.ts';
import { StepFailure } from './values.ts';

export interface McpCall {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly toolId: string;
  readonly signal: AbortSignal;
  /** Something came from the server while the call runs. */
  readonly onProgress: (note: string | null) => void;
}

export interface McpClient {
  /** The tool's value: structured content, else its text as JSON, else `{text}`. @throws StepFailure */
  call(call: McpCall): Promise<unknown>;
}

const protocolVersion = '2025-11-25';
const retryMs = [50, 200, 500, 1000];

interface Reply {
  readonly status: number;
  readonly sessionId: string | null;
  readonly message: Record<string, unknown> | null;
}

export function mcpClient(endpoint: { readonly url: string; readonly token: string }): McpClient {
  let serial = 0;
  let session: { readonly id: string | null } | null = null;

  const post = (body: Record<string, unknown>, call: Pick<McpCall, 'signal' | 'onProgress'>) =>
    exchange({ ...endpoint, ...call, body, sessionId: session?.id ?? null });
  const ask = (method: string, params: unknown, call: Pick<McpCall, 'signal' | 'onProgress'>) => {
    serial += 1;
    return post({ jsonrpc: '2.0', id: serial, method, params }, call);
  };
  const open = async (call: McpCall) => {
    const hello = await ask(
      'initialize',
      { protocolVersion, capabilities: {}, clientInfo: { name: 'makima-scripted', version: '1' } },
      call,
    );
    resultOf(hello);
    session = { id: hello.sessionId };
    await post({ jsonrpc: '2.0', method: 'notifications/initialized' }, call);
  };
  const once = async (call: McpCall) => {
    if (session === null) await open(call);
    const reply = await ask(
      'tools/call',
      {
        name: call.name,
        arguments: call.args,
        _meta: { 'claudecode/toolUseId': call.toolId, progressToken: call.toolId },
      },
      call,
    );
    return toolValue(resultOf(reply));
  };

  return {
    async call(call) {
      for (let attempt = 0; ; attempt += 1) {
        try {
          return await once(call);
        } catch (cause) {
          if (call.signal.aborted || !(cause instanceof ConnectionFailure)) throw cause;
          session = null;
          const waitMs = retryMs[attempt];
          if (waitMs === undefined) throw new StepFailure(`${call.name}: ${cause.message}`);
          await pause(waitMs, undefined, { signal: call.signal });
        }
      }
    },
  };
}

/** The server could not be reached, broke off, or does not know our session: the same call may be repeated. */
class ConnectionFailure extends Error {}

function resultOf(reply: Reply): Record<string, unknown> {
  const error = reply.message?.error;
  if (isPlain(error))
    throw new StepFailure(
      typeof error.message === 'string' ? error.message : 'the tool server refused the call',
    );
  const result = reply.message?.result;
  if (isPlain(result)) return result;
  if (reply.status === 401 || reply.status === 403) {
    throw new StepFailure(`The tool server refused the run's token (${reply.status}).`);
  }
  throw new ConnectionFailure(`the tool server answered ${reply.status} without a result`);
}

function toolValue(result: Record<string, unknown>): unknown {
  const content = Array.isArray(result.content) ? result.content : [];
  const text = content
    .map((part) => (isPlain(part) && typeof part.text === 'string' ? part.text : ''))
    .join('\n');
  if (result.isError === true) throw new StepFailure(text || 'the tool failed');
  if (isPlain(result.structuredContent)) return result.structuredContent;
  try {
    return JSON.parse(text);
  } catch {
    return { text };
  }
}

interface Exchange extends Pick<McpCall, 'signal' | 'onProgress'> {
  readonly url: string;
  readonly token: string;
  readonly sessionId: string | null;
  readonly body: Record<string, unknown>;
}

function exchange(options: Exchange): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const sent = httpRequest(
    options.url,
    {
      method: 'POST',
      signal: options.signal,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${options.token}`,
        'mcp-protocol-version': protocolVersion,
        ...(options.sessionId === null ? {} : { 'mcp-session-id': options.sessionId }),
      },
    },
    (response) => {
      const status = response.statusCode ?? 0;
      const sessionHeader = response.headers['mcp-session-id'];
      const sessionId = typeof sessionHeader === 'string' ? sessionHeader : options.sessionId;
      const streams = (response.headers['content-type'] ?? '').includes('text/event-stream');
      let text = '';
      let message: Record<string, unknown> | null = null;
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (!streams) return;
        const events = text.split(/\r?\n\r?\n/);
        text = events.pop() ?? '';
        for (const event of events) message = answerOf(event, options) ?? message;
      });
      response.on('error', (cause) => reject(failed(cause, options.signal)));
      response.on('end', () => {
        message ??= streams ? answerOf(text, options) : parsed(text);
        resolve({ status, sessionId, message });
      });
    },
  );
  sent.on('error', (cause) => reject(failed(cause, options.signal)));
  sent.end(JSON.stringify(options.body));
  return promise;
}

function failed(cause: Error, signal: AbortSignal): Error {
  return signal.aborted ? cause : new ConnectionFailure(cause.message, { cause });
}

/** The answer in one server-sent event, or null for anything else (progress is told). */
function answerOf(event: string, options: Exchange): Record<string, unknown> | null {
  const data = event
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(5).trimStart())
    .join('\n');
  const message = data === '' ? null : parsed(data);
  if (message === null) {
    options.onProgress(null);
    return null;
  }
  if (message.id !== undefined && message.id === options.body.id) return message;
  const params = isPlain(message.params) ? message.params : {};
  options.onProgress(typeof params.message === 'string' ? params.message : null);
  return null;
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isPlain(value) ? value : null;
  } catch {
    return null;
  }
}
