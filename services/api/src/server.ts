/**
 * The HTTP server: time limits on everything a peer can be slow with, answers in our own form also for
 * requests that never reach a route, and a drain that lets go of everybody politely.
 *
 * Law: listens before anything is recovered. Once told to stop it accepts nothing, ends holds with an answer
 * that can be asked again, and is gone within `drainMs`.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { limits } from '@makima/domain/limits';
import { MakimaError } from '@makima/domain/error';
import { toProblem } from '@makima/contracts/problem';
import type { Part } from '@makima/runtime/lifecycle';
import { withDeadline } from '@makima/runtime/deadline';
import type { Log } from '@makima/runtime/log';
import type { ApiEnv } from './request.ts';
import { newRequestId } from './headers.ts';
import { problemType } from './problem.ts';
import { rawAnswer } from './raw-answer.ts';
import type { Holds } from './wait.ts';

export interface HttpTimes {
  /** From the first byte to the end of the headers. */
  readonly headersMs: number;
  /** From the first byte to the end of the body. */
  readonly requestMs: number;
  readonly keepAliveMs: number;
  /** How often the first two are looked at. */
  readonly checkMs: number;
  readonly drainMs: number;
}

export const httpTimes: HttpTimes = {
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 65_000,
  checkMs: 1_000,
  drainMs: 10_000,
};

export interface HttpServerOptions {
  readonly app: Hono<ApiEnv>;
  readonly holds: Holds;
  readonly log: Log;
  readonly host: string;
  /** 0 lets the system choose; the chosen one stands in the log line `listening` as `port`. */
  readonly port: number;
  readonly times?: Partial<HttpTimes>;
  /** Takes upgrades of connections that are meant for it; true when it did. */
  readonly takeUpgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;
  /** Called first when the server stops: from then on the process is not ready. */
  readonly onDrain?: () => void;
}

export interface HttpServer extends Part {
  /** The port it listens on; 0 before start. */
  readonly port: number;
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const times = { ...httpTimes, ...options.times };
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let port = 0;
  return {
    name: 'http-server',
    stopMs: times.drainMs + 2_000,
    get port() {
      return port;
    },
    async start() {
      if (server !== undefined) return;
      server = openServer(options, times);
      server.on('connection', (socket: Socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      });
      port = await listen(server, options);
      options.log.info({ host: options.host, port }, 'listening');
    },
    async stop() {
      const closing = server;
      server = undefined;
      options.onDrain?.();
      options.holds.drain();
      if (closing === undefined) return;
      const closed = new Promise<void>((resolve) => closing.close(() => resolve()));
      closing.closeIdleConnections();
      // For Node a connection is idle after a request, not before the first: browsers open such ones.
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
      await withDeadline(times.drainMs, () => closed, 'ending requests').catch(() => undefined);
      closing.closeAllConnections();
      await closed;
    },
  };
}

function openServer(options: HttpServerOptions, times: HttpTimes): Server {
  const listener = getRequestListener(
    (request, env) => options.app.fetch(request, env as ApiEnv['Bindings']),
    {
      overrideGlobalObjects: false,
      errorHandler: () =>
        earlyProblem('VALIDATION_FAILED', 'the request line or its Host header is not valid'),
    },
  );
  const server = createServer(
    {
      maxHeaderSize: limits.httpHeaderMaxBytes,
      headersTimeout: times.headersMs,
      requestTimeout: times.requestMs,
      keepAliveTimeout: times.keepAliveMs,
      connectionsCheckingInterval: times.checkMs,
      insecureHTTPParser: false,
    },
    (incoming, outgoing) => {
      // While it drains, each connection ends with its answer.
      if (options.holds.draining.aborted) outgoing.setHeader('connection', 'close');
      void listener(incoming, outgoing);
    },
  );
  server.maxHeadersCount = 200;
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuseRaw(error, socket));
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Node has let go of it: a reset that nobody hears would end the process.
    socket.on('error', () => socket.destroy());
    if (options.takeUpgrade?.(request, socket, head) === true) return;
    socket.end(rawAnswer(404, problemText('NOT_FOUND', 'there is no socket here')));
  });
  return server;
}

function listen(server: Server, options: HttpServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      server.on('error', (error) => options.log.error({ err: error }, 'http server failed'));
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** What Node could not read as a request: too large, too slow, or not HTTP. */
function refuseRaw(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const text =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? rawAnswer(
          431,
          problemText(
            'PAYLOAD_TOO_LARGE',
            `headers have at most ${limits.httpHeaderMaxBytes} bytes`,
          ),
        )
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? rawAnswer(408, problemText('VALIDATION_FAILED', 'the request came too slowly'))
        : rawAnswer(400, problemText('VALIDATION_FAILED', 'this is not an HTTP request'));
  socket.end(text);
  // A peer that does not take its answer is not waited for.
  setTimeout(() => socket.destroy(), 1_000).unref();
}

function problemText(
  code: 'VALIDATION_FAILED' | 'PAYLOAD_TOO_LARGE' | 'NOT_FOUND',
  message: string,
): string {
  const fix = { fix: 'GET /reference has what there is' };
  return JSON.stringify(toProblem(new MakimaError(code, message, fix), newRequestId()));
}

function earlyProblem(code: 'VALIDATION_FAILED', message: string): Response {
  return new Response(problemText(code, message), {
    status: 400,
    headers: {
      'content-type': problemType,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    },
  });
}
