/**
 * The door: upgrades of daemons at `/daemon`, judged before any handshake.
 *
 * Law: cheap checks first, the store last; no token in an address, no page of a browser, no guess gets
 * further than its answer.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { wireLimits } from '@makima/contracts/limits';
import { authenticate } from '@makima/engine/identity/authenticate';
import type { DaemonPrincipal } from '@makima/engine/principal';
import type { Admission } from './admission.ts';
import { bearerOf } from './bearer.ts';
import { Connection } from './connection.ts';
import type { RunningGateway } from './gateway.ts';
import { isAway } from './patience.ts';
import { later, refusals, refuse, type Refusal } from './refuse.ts';

export interface DoorOptions {
  readonly gateway: RunningGateway;
  readonly admission: Admission;
  readonly allowsHost: (host: string | undefined) => boolean;
  readonly socketsMax: number;
}

export const socketPath = '/daemon';
const draftVersion = '13';

/** Hang the door on a server. */
export function openDoor(server: Server, options: DoorOptions): void {
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: wireLimits.daemonFrameBytes,
    maxFragments: 256,
    maxBufferedChunks: 4_096,
  });
  sockets.on('wsClientError', (_error, socket) => refuse(socket, refusals.handshake));
  server.on('upgrade', (request, socket, head) => {
    destroyOnError(socket);
    void judge(request, options)
      .catch((error: unknown): Refusal => {
        if (isAway(error)) return later(2, 'the store does not answer');
        options.gateway.log.error({ err: error }, 'an upgrade failed');
        return refusals.broken;
      })
      .then((verdict) => {
        const { upgrades } = options.gateway.metrics;
        if (socket.destroyed) return upgrades.inc({ outcome: 'gone' });
        if ('status' in verdict) {
          upgrades.inc({ outcome: String(verdict.status) });
          return refuse(socket, verdict);
        }
        upgrades.inc({ outcome: 'open' });
        return enter(sockets, options.gateway, { request, socket, head, daemon: verdict });
      });
  });
}

/** By itself, so that what lives as long as the socket holds nothing of the request. */
function destroyOnError(socket: Duplex): void {
  socket.on('error', () => socket.destroy());
}

async function judge(
  request: IncomingMessage,
  { gateway, admission, allowsHost, socketsMax }: DoorOptions,
): Promise<Refusal | DaemonPrincipal> {
  const { headers, url } = request;
  if (url?.split('?', 1)[0] !== socketPath) return refusals.path;
  if (gateway.draining) return later(1, 'this gateway leaves');
  if (!allowsHost(headers.host)) return refusals.host;
  if (headers.origin !== undefined) return refusals.origin;
  const token = bearerOf(request);
  if (token === undefined) return refusals.key;
  if (request.method !== 'GET' || headers['sec-websocket-version'] !== draftVersion) {
    return refusals.handshake;
  }
  if (gateway.registry.all.size >= socketsMax) return later(10, 'this gateway is full');
  const staySeconds = admission.admit();
  if (staySeconds > 0) return later(staySeconds, 'too many connect at once');
  const principal = await authenticate(gateway.engine, token);
  return principal?.kind === 'daemon' ? principal : refusals.key;
}

interface Entering {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly daemon: DaemonPrincipal;
}

function enter(sockets: WebSocketServer, gateway: RunningGateway, entering: Entering): void {
  const { request, socket, head, daemon } = entering;
  sockets.handleUpgrade(request, socket, head, (opened) => {
    const connection = new Connection(gateway, opened, daemon);
    // The drain may have begun while the key was looked up.
    if (gateway.draining) connection.goAway(0);
  });
}
