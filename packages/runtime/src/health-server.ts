/**
 * `/livez`, `/readyz` and `/metrics` for services that have no HTTP of their own.
 *
 * Law: listens before anything else starts, answers GET and HEAD only, reads no body, tells no secrets.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Health } from './health.ts';
import type { Part } from './lifecycle.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export interface HealthServerOptions {
  readonly health: Health;
  readonly metrics: Metrics;
  readonly log: Log;
  /** 0 lets the system choose; the chosen port stands in the log line `health listening` as `port`. */
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Called with the server before it listens, for a process that hangs more on it (`upgrade`). */
  readonly attach?: (server: Server) => void;
}

export interface HealthServer extends Part {
  /** The port it listens on; 0 before start. */
  readonly port: number;
}

export function createHealthServer(options: HealthServerOptions): HealthServer {
  const host = options.host ?? '127.0.0.1';
  let server: Server | undefined;
  let port = 0;

  return {
    name: 'health-server',
    get port() {
      return port;
    },
    async start() {
      if (server !== undefined) return;
      const opened = createServer({ requestTimeout: 5_000, headersTimeout: 5_000 });
      server = opened;
      opened.on('request', (request, response) => {
        void answer(options, request, response);
      });
      options.attach?.(opened);
      options.health.start();
      port = await listen(opened, options.port, host);
      opened.on('error', (error) => options.log.error({ err: error }, 'health server failed'));
      options.log.info({ host, port }, 'health listening');
    },
    async stop() {
      const closing = server;
      server = undefined;
      options.health.stop();
      if (closing === undefined) return;
      closing.closeAllConnections();
      await new Promise<void>((resolve) => closing.close(() => resolve()));
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

async function answer(
  options: HealthServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.resume();
  const send = (status: number, type: string, body: string): void => {
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  const json = (status: number, body: unknown): void =>
    send(status, 'application/json', `${JSON.stringify(body)}\n`);
  try {
    if (request.method !== 'GET' && request.method !== 'HEAD') return json(405, { ok: false });
    const path = request.url?.split('?', 1)[0];
    if (path === '/metrics') {
      return send(200, options.metrics.contentType, await options.metrics.text());
    }
    if (path !== '/livez' && path !== '/readyz') return json(404, { ok: false });
    const report = path === '/livez' ? options.health.livez() : await options.health.readyz();
    json(report.ok ? 200 : 503, report);
  } catch (error) {
    options.log.error({ err: error }, 'health request failed');
    if (!response.headersSent) json(500, { ok: false });
  }
}
