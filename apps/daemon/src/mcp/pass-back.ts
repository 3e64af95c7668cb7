/**
 * The API's answer on its way to the agent: whole, or event by event, and known to be complete.
 *
 * Law: an answer counts as given when the agent has the message that carries its call's id. What broke off
 * before that is reported as cut, so that the call may be repeated into the same open answer.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { problemInMeta } from '@makima/contracts/problem';

export interface WantedCall {
  /** The JSON-RPC id that the final message carries; null for a notification. */
  readonly id: string | number | null;
  /** Asking again is the same call: it changes nothing, or carries the agent's tool-use id. */
  readonly repeatable: boolean;
}

/** The answer ended before it was complete, or the API could not serve just then. */
export class AnswerCut extends Error {}

const passedDown = ['content-type', 'cache-control', 'mcp-session-id', 'retry-after'];
const harmless = new Set(['initialize', 'tools/list', 'ping', 'prompts/list', 'resources/list']);
const toolUseKeys = ['claudecode/toolUseId', 'makima/toolUseId', 'callId'];
/** An API that drains or has lost its store. */
const unserved = new Set([502, 503]);
/** Refusals of a tool that has done nothing and may soon: its store is away, or the same call is still under way. */
const unservedCodes = new Set<unknown>(['DEPENDENCY_UNAVAILABLE', 'IDEMPOTENCY_IN_FLIGHT']);
const answerMaxBytes = 8 * 1024 * 1024;

export function readCall(body: Buffer): WantedCall {
  let call: unknown;
  try {
    call = JSON.parse(body.toString('utf8'));
  } catch {
    return { id: null, repeatable: false };
  }
  if (!isRecord(call)) return { id: null, repeatable: false };
  const id = typeof call['id'] === 'string' || typeof call['id'] === 'number' ? call['id'] : null;
  const method = typeof call['method'] === 'string' ? call['method'] : '';
  const repeatable =
    harmless.has(method) || method.startsWith('notifications/') || hasToolUseId(call);
  return { id, repeatable };
}

/** @throws AnswerCut when the call may be asked again, into the same response. */
export async function passBack(
  answer: IncomingMessage,
  response: ServerResponse,
  wanted: WantedCall,
): Promise<void> {
  if (unserved.has(answer.statusCode ?? 0) && wanted.repeatable) {
    answer.resume();
    throw new AnswerCut(`the control plane answered ${answer.statusCode}`);
  }
  const streams = (answer.headers['content-type'] ?? '').includes('text/event-stream');
  if (streams) return passEvents(answer, response, wanted);
  const body = await wholeBody(answer);
  if (wanted.repeatable && isUnserved(body.toString('utf8')))
    throw new AnswerCut('the control plane could not serve the call');
  if (response.headersSent) response.write(`event: message\ndata: ${body.toString('utf8')}\n\n`);
  else {
    sendHead(answer, response);
    response.write(body);
  }
  response.end();
}

async function passEvents(
  answer: IncomingMessage,
  response: ServerResponse,
  wanted: WantedCall,
): Promise<void> {
  if (!response.headersSent) {
    sendHead(answer, response);
    response.flushHeaders();
  }
  let rest = '';
  let complete = false;
  try {
    answer.setEncoding('utf8');
    for await (const chunk of answer as AsyncIterable<string>) {
      rest += chunk;
      const events = rest.split(/\r?\n\r?\n/);
      rest = events.pop() ?? '';
      for (const event of events) {
        const data = dataOf(event);
        if (wanted.repeatable && isUnserved(data))
          throw new AnswerCut('the control plane could not serve the call');
        response.write(`${event}\n\n`);
        complete ||= isFinal(data, wanted.id);
      }
    }
  } catch (cause) {
    if (!complete) throw new AnswerCut('the answer broke off', { cause });
  }
  if (!complete && wanted.id !== null) throw new AnswerCut('the answer ended early');
  response.end();
}

async function wholeBody(answer: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > answerMaxBytes) throw new RangeError('the answer is too large');
      parts.push(part);
    }
  } catch (cause) {
    if (cause instanceof RangeError) throw cause;
    throw new AnswerCut('the answer broke off', { cause });
  }
  return Buffer.concat(parts);
}

function sendHead(answer: IncomingMessage, response: ServerResponse): void {
  const headers: Record<string, string | string[]> = {};
  for (const name of passedDown) {
    const value = answer.headers[name];
    if (value !== undefined) headers[name] = value;
  }
  response.writeHead(answer.statusCode ?? 502, headers);
}

function dataOf(event: string): string {
  return event
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(5).trimStart())
    .join('\n');
}

/** Whether a tool answered that it could not do anything just then. */
function isUnserved(data: string): boolean {
  if (!data.includes('"isError":true')) return false;
  try {
    const message: unknown = JSON.parse(data);
    const result = isRecord(message) && isRecord(message['result']) ? message['result'] : {};
    const meta = isRecord(result['_meta']) ? result['_meta'] : {};
    const problem = meta[problemInMeta];
    if (result['isError'] !== true || !isRecord(problem)) return false;
    return unservedCodes.has(problem['code']) && problem['retryable'] === true;
  } catch {
    return false;
  }
}

/** Whether this event holds the result or error of the call itself. */
function isFinal(data: string, id: string | number | null): boolean {
  try {
    const message: unknown = JSON.parse(data);
    return isRecord(message) && message['id'] === id && ('result' in message || 'error' in message);
  } catch {
    return false;
  }
}

function hasToolUseId(call: Record<string, unknown>): boolean {
  const meta =
    isRecord(call['params']) && isRecord(call['params']['_meta']) ? call['params']['_meta'] : {};
  return (
    call['method'] === 'tools/call' && toolUseKeys.some((key) => typeof meta[key] === 'string')
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
