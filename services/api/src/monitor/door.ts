/**
 * Upgrades of monitors: judged as a request is, before any handshake.
 *
 * Law: path, Host and Origin first, then the key or ticket, then what the endpoint's policy says; a refusal is the
 * problem that a request would get.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { endpoints } from '@makima/contracts/http/all';
import { monitorPath } from '@makima/contracts/entity/monitor';
import { wireLimits } from '@makima/contracts/limits';
import { MakimaError } from '@makima/domain/error';
import type { Api } from '../context.ts';
import { checkHost } from '../guard-host.ts';
import { keyIdOf } from '../idempotency.ts';
import { rawAnswer, refuseUpgrade } from '../raw-answer.ts';
import { authorizeNoted } from '../refusals.ts';
import type { Session } from '../request.ts';
import { requireMonitoring } from './flag.ts';
import { serveMonitor, type MonitorTimes } from './socket.ts';
import { chosenProtocol, openSession } from './ticket.ts';

export type TakeUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;

export function monitorDoor(api: Api, times: MonitorTimes): TakeUpgrade {
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    handleProtocols: chosenProtocol,
    maxPayload: wireLimits.monitorFrameBytes,
  });
  sockets.on('wsClientError', (_error, socket) => socket.end(rawAnswer(400, '')));
  return (request, socket, head) => {
    if (request.url?.split('?', 1)[0] !== monitorPath) return false;
    judge(api, request).then(
      (session) => {
        if (socket.destroyed) return;
        sockets.handleUpgrade(request, socket, head, (opened) =>
          enter(api, { opened, session, connection: socket as Socket, times }),
        );
      },
      (error: unknown) => {
        if (!(error instanceof MakimaError)) api.log.error({ err: error }, 'an upgrade failed');
        refuseUpgrade(socket, error);
      },
    );
    return true;
  };
}

async function judge(api: Api, request: IncomingMessage): Promise<Session> {
  checkHost(api.hosts, request);
  const session = await openSession(api, request);
  api.rates.take(keyIdOf(session.principal));
  const { policy, id } = endpoints.monitorContracts;
  authorizeNoted(api, session.principal, { policy, action: id });
  requireMonitoring(api.engine);
  if (request.url !== monitorPath) {
    throw new MakimaError('VALIDATION_FAILED', 'the filter of a socket is its first message', {
      fix: 'leave the query out of the address',
    });
  }
  return session;
}

interface Entering {
  readonly opened: WebSocket;
  readonly session: Session;
  readonly connection: Socket;
  readonly times: MonitorTimes;
}

function enter(api: Api, { opened, session, connection, times }: Entering): void {
  const served = serveMonitor(opened, {
    hub: api.monitors,
    session,
    connection,
    isWelcome: async () => (await api.auth.check(session.token)) !== null,
    onRevoked: (listener) => api.auth.onRevoked(listener),
    draining: api.holds.draining,
    times,
  });
  served.catch((error: unknown) => {
    api.log.error({ err: error }, 'a monitor failed');
    opened.close(1011);
  });
}
