/**
 * A model's house on loopback: real agents talk to it as to their own, and it answers by script, with faults on
 * demand. Needs no network and no key.
 *
 * Law: loopback only; every request is in the log; `close` leaves no connection behind.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { anthropic } from './anthropic.ts';
import { gemini } from './gemini.ts';
import { openaiChat } from './openai-chat.ts';
import { placeOf } from './place.ts';
import type { Answer, Incoming, ModelProtocol } from './protocol.ts';
import { responses } from './responses.ts';
import type { ModelRequest, Place, Reply, Scripts } from './reply.ts';
import { beginningOf } from './session.ts';

/** A request as it came, with the place that was found for it. */
export interface LoggedRequest extends Place {
  readonly protocol: string;
  readonly request: ModelRequest;
  /** No tools were offered: a title, a summary. */
  readonly side: boolean;
}

export interface MockModel {
  readonly url: string;
  readonly log: readonly LoggedRequest[];
  /** Resolves with the first request, past or future, that fits. */
  seen(fits: (logged: LoggedRequest) => boolean): Promise<LoggedRequest>;
  close(): Promise<void>;
}

const protocols: readonly ModelProtocol[] = [anthropic, responses, openaiChat, gemini];
const mostBodyBytes = 64 * 1024 * 1024;

export async function startMockModel(options: {
  readonly scripts: Scripts;
  /** Default: any free port. */
  readonly port?: number;
}): Promise<MockModel> {
  const log: LoggedRequest[] = [];
  const watchers = new Set<(logged: LoggedRequest) => void>();
  const asked = new Map<string, number>();
  const countAsked = (key: string) => {
    const before = asked.get(key) ?? 0;
    asked.set(key, before + 1);
    return before;
  };
  const note = (logged: LoggedRequest) => {
    log.push(logged);
    for (const watcher of watchers) watcher(logged);
  };
  const server = createServer((incoming, response) => {
    respond(incoming, response, { scripts: options.scripts, countAsked, note }).catch(() => {
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    log,
    seen(fits) {
      const past = log.find(fits);
      if (past !== undefined) return Promise.resolve(past);
      return new Promise((resolve) => {
        const watcher = (logged: LoggedRequest) => {
          if (!fits(logged)) return;
          watchers.delete(watcher);
          resolve(logged);
        };
        watchers.add(watcher);
      });
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Desk {
  readonly scripts: Scripts;
  countAsked(key: string): number;
  note(logged: LoggedRequest): void;
}

async function respond(
  message: IncomingMessage,
  response: ServerResponse,
  desk: Desk,
): Promise<void> {
  // Codex asks for a socket first, and goes on by HTTP when it gets none.
  if (message.headers.upgrade !== undefined) {
    return sendJson(response, 426, { error: { type: 'invalid_request', message: 'HTTP only.' } });
  }
  const incoming = await read(message);
  for (const protocol of protocols) {
    const aside = protocol.aside(incoming);
    if (aside !== null) return sendJson(response, 200, aside);
    const request = protocol.read(incoming);
    if (request === null) continue;
    const logged = logOf(protocol, request, desk);
    desk.note(logged);
    return carryOut(response, protocol, logged, replyTo(logged, desk.scripts));
  }
  return sendJson(response, 404, { error: { type: 'not_found_error', message: 'Not mocked.' } });
}

async function read(message: IncomingMessage): Promise<Incoming> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBodyBytes) throw new Error('request too large');
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const { pathname } = new URL(message.url ?? '/', 'http://mock');
  return { path: pathname, headers: message.headers, body: text === '' ? {} : JSON.parse(text) };
}

function logOf(protocol: ModelProtocol, request: ModelRequest, desk: Desk): LoggedRequest {
  const { script, step } = placeOf(request.messages);
  const side = request.tools.length === 0;
  const key = `${request.session ?? beginningOf(request.messages)} ${script ?? ''} ${step}`;
  const asked = side ? 0 : desk.countAsked(key);
  return { protocol: protocol.name, request, script, step, asked, side };
}

function replyTo(logged: LoggedRequest, scripts: Scripts): Reply {
  if (logged.side) return { text: 'A title' };
  const steps = logged.script === null ? undefined : scripts[logged.script];
  if (steps === undefined || steps.length === 0) {
    return { text: `There is no script "${logged.script ?? ''}".` };
  }
  const step = steps[Math.min(logged.step, steps.length - 1)] as (typeof steps)[number];
  const reply = typeof step === 'function' ? step(logged.request, logged) : step;
  if (reply.times === undefined || logged.asked < reply.times) return reply;
  const { error: _error, hang: _hang, cutAfterEvents: _cut, ...rest } = reply;
  return rest;
}

async function carryOut(
  response: ServerResponse,
  protocol: ModelProtocol,
  logged: LoggedRequest,
  reply: Reply,
): Promise<void> {
  if (reply.hang === 'before_headers') return;
  if (reply.delayMs !== undefined) await pause(reply.delayMs);
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  if (reply.error !== undefined) {
    const { retryAfterSeconds, status } = reply.error;
    if (retryAfterSeconds !== undefined)
      response.setHeader('retry-after', String(retryAfterSeconds));
    return sendJson(response, status, protocol.error(reply.error));
  }
  const answer = answerOf(logged, reply);
  if (!logged.request.stream && reply.cutAfterEvents !== undefined) return void response.destroy();
  if (!logged.request.stream)
    return sendJson(response, 200, protocol.whole(logged.request, answer));
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  let sent = 0;
  for (const { event, data } of protocol.stream(logged.request, answer)) {
    if (sent === reply.cutAfterEvents) return void response.destroy();
    if (typeof reply.hang === 'object' && sent >= reply.hang.afterEvents) return;
    if (reply.betweenEventsMs !== undefined) await pause(reply.betweenEventsMs);
    if (response.destroyed) return;
    await written(response, `${event === null ? '' : `event: ${event}\n`}data: ${data}\n\n`);
    sent += 1;
  }
  response.end();
}

/** Resolves when the bytes have left, so that a cut comes after what was sent before it. */
function written(response: ServerResponse, text: string): Promise<void> {
  return new Promise((resolve) => {
    response.write(text, () => resolve());
  });
}

/** Gives ids that depend on the conversation and the place alone. */
function answerOf(logged: LoggedRequest, reply: Reply): Answer {
  const { request, script, step } = logged;
  const place = `${request.session ?? beginningOf(request.messages)} ${script ?? ''} ${step} ${request.messages.length}`;
  const id = createHash('sha256').update(place).digest('hex').slice(0, 20);
  const tools = (reply.tools ?? []).map((tool, index) => ({
    name: tool.name,
    input: tool.input,
    id: tool.id ?? `toolu_${id}${index}`,
  }));
  return { ...reply, id, tools };
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
