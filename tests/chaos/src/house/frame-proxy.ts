// A proxy that knows frames: between daemons and a gateway it says frames twice, late, and in another order.
// Why: TCP never does this to anybody, but a resend, a second connection and a proxy that was restarted do.
// Law: a frame is never changed and never lost; the hello and the welcome pass first, as on any connection.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import WebSocket, { WebSocketServer } from 'ws';

export interface FrameCounts {
  readonly passed: number;
  readonly doubled: number;
  readonly swapped: number;
}

export interface FrameProxy {
  readonly port: number;
  readonly counts: FrameCounts;
  close(): Promise<void>;
}

export interface FrameTrouble {
  /** Where it leads, `ws://host:port`. */
  readonly target: string;
  /** From 0 to 1, of all frames. */
  readonly doubled: number;
  readonly swapped: number;
  readonly chance: () => number;
}

/** So long a frame is held back at most for the next one to overtake it. */
const heldMs = 40;

export async function openFrameProxy(trouble: FrameTrouble): Promise<FrameProxy> {
  const counts = { passed: 0, doubled: 0, swapped: 0 };
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    sockets.handleUpgrade(request, socket, head, (near) => join(near, request, trouble, counts));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    counts,
    close: () => close(server, sockets),
  };
}

type Counts = { passed: number; doubled: number; swapped: number };

function join(
  near: WebSocket,
  request: IncomingMessage,
  trouble: FrameTrouble,
  counts: Counts,
): void {
  const far = new WebSocket(`${trouble.target}${request.url ?? '/'}`, {
    headers: { authorization: request.headers.authorization ?? '' },
    perMessageDeflate: false,
  });
  pass(near, far, trouble, counts);
  pass(far, near, trouble, counts);
}

function pass(from: WebSocket, to: WebSocket, trouble: FrameTrouble, counts: Counts): void {
  const opened =
    to.readyState === WebSocket.OPEN
      ? Promise.resolve()
      : new Promise<void>((resolve) => to.once('open', () => resolve()));
  let isFirst = true;
  let held: Buffer | undefined;
  let release: NodeJS.Timeout | undefined;
  const send = (frame: Buffer): void => {
    if (to.readyState === WebSocket.OPEN) to.send(frame, { binary: false });
  };
  const letGo = (): void => {
    clearTimeout(release);
    if (held !== undefined) send(held);
    held = undefined;
  };
  from.on('message', (frame: Buffer) => {
    void opened.then(() => {
      counts.passed += 1;
      if (isFirst) {
        isFirst = false;
        return send(frame);
      }
      if (held === undefined && trouble.chance() < trouble.swapped) {
        held = frame;
        release = setTimeout(letGo, heldMs);
        return;
      }
      send(frame);
      if (held !== undefined) {
        counts.swapped += 1;
        letGo();
      }
      if (trouble.chance() < trouble.doubled) {
        counts.doubled += 1;
        send(frame);
      }
    });
  });
  from.on('error', () => {});
  from.on('unexpected-response', () => to.terminate());
  from.on('close', (code, reason) => {
    clearTimeout(release);
    if (to.readyState === WebSocket.CONNECTING) to.terminate();
    // Codes below are for the protocol itself, and nobody may send them.
    else if (code >= 3_000) to.close(code, reason);
    else to.terminate();
  });
}

async function close(server: Server, sockets: WebSocketServer): Promise<void> {
  for (const socket of sockets.clients) socket.terminate();
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
