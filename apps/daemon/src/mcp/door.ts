/**
 * The door for agents' tool calls: HTTP on loopback, a token per run. It forwards to the API's `/mcp` with
 * the run's key, which no agent ever sees.
 *
 * Law: only this machine, only by a literal loopback Host and without an Origin (a browser is no agent), only
 * with a living run's token, only POST /mcp.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { wireLimits } from '@makima/contracts/limits';
import type { Log } from '@makima/runtime/log';
import { forward } from './forward.ts';
import { createToolRuns, type ToolRun } from './runs.ts';

export interface ToolDoorOptions {
  readonly apiUrl: string;
  readonly log: Log;
  readonly retryMs: number;
  /** Longest single call. */
  readonly holdMs?: number;
}

export interface ToolDoor {
  /** Where agents post to. */
  readonly url: string;
  /** Lets a run's agent in; the returned function shuts it out. */
  open(run: ToolRun): { readonly token: string; readonly close: () => void };
  stop(): Promise<void>;
}

const holdMs = 6 * 60_000;

export async function openToolDoor(options: ToolDoorOptions): Promise<ToolDoor> {
  const runs = createToolRuns();
  let port = 0;
  const server: Server = createServer((request, response) => {
    const refusal = refuse(request, port);
    if (refusal !== null) return answer(response, refusal.status, refusal.error);
    if (request.url === '/healthz') return answer(response, 200, 'ok');
    const run = runs.find(request.headers.authorization);
    if (run === null) return answer(response, 401, 'this token opens nothing');
    forward(request, response, {
      holdMs,
      ...options,
      run,
      bodyBytes: wireLimits.httpBodyBytes,
    }).catch((error: unknown) => {
      options.log.warn({ err: error, taskId: run.taskId }, 'a tool call was cut off');
      response.destroy();
    });
  });
  // Calls that wait for a person are held for minutes; headers and body still have to come soon.
  server.requestTimeout = 60_000;
  server.headersTimeout = 10_000;
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  port = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    open(run) {
      const token = runs.open(run);
      return { token, close: () => runs.close(token) };
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function refuse(
  request: IncomingMessage,
  port: number,
): { readonly status: number; readonly error: string } | null {
  const { host, origin } = request.headers;
  if (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`) {
    return { status: 421, error: 'this door has another name' };
  }
  if (origin !== undefined) return { status: 403, error: 'not for browsers' };
  if (request.url === '/healthz' && request.method === 'GET') return null;
  if (request.url !== '/mcp') return { status: 404, error: 'there is only /mcp here' };
  if (request.method !== 'POST') return { status: 405, error: 'POST only' };
  return null;
}

function answer(response: ServerResponse, status: number, text: string): void {
  const body = status === 200 ? { status: text } : { error: text };
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (status === 405) headers['allow'] = 'POST';
  // What was not read of a refused body must not be taken for the next request.
  if (status !== 200) headers['connection'] = 'close';
  response.writeHead(status, headers).end(JSON.stringify(body));
}
