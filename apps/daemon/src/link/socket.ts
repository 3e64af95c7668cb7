/**
 * One socket to the gateway: opened once, closed once; text frames in and out.
 *
 * Law: every frame that comes in is parsed by the wire contract, without the keys that only a newer gateway
 * knows. One that does not fit closes this socket (4400) and nothing else; whatever the other side sends, no
 * error leaves this file.
 */
import { WebSocket } from 'ws';
import { readForward } from '@makima/contracts/socket/forward';
import { closeCodes, zServerFrame, type ServerFrame } from '@makima/contracts/socket/frames';
import { watchPulse } from './pulse.ts';
import { retryAfterMs } from './retry-delay.ts';

/** Largest frame that a gateway may send: some commands with their texts. */
const maxFrameBytes = 8 * 1024 * 1024;
const handshakeMs = 10_000;

export interface SocketEnd {
  readonly opened: boolean;
  /** Close code, HTTP status of a refused upgrade, or 0 when there was no answer. */
  readonly code: number;
  readonly reason: string;
  readonly retryAfterMs: number | null;
}

export interface SocketHandlers {
  opened(): void;
  frame(frame: ServerFrame): void;
  /** Keys of the frame that follows which are unknown here, and were left out. */
  unknown(keys: readonly string[]): void;
  /** Exactly once, last. */
  ended(end: SocketEnd): void;
}

export interface GatewaySocket {
  /** False when the socket is not open; `written` is called when the frame has left this process. */
  send(text: string, written?: () => void): boolean;
  readonly bufferedBytes: number;
  close(code: number, reason: string): void;
  /** Cut without a goodbye. */
  cut(): void;
}

export function openSocket(
  options: { readonly url: string; readonly key: string; readonly pulseMs: number },
  handlers: SocketHandlers,
): GatewaySocket {
  let opened = false;
  let over = false;
  let failure = '';
  const ended = (end: Omit<SocketEnd, 'opened'>): void => {
    if (over) return;
    over = true;
    handlers.ended({ opened, ...end });
  };
  const socket = new WebSocket(options.url, {
    headers: { authorization: `Bearer ${options.key}` },
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
    handshakeTimeout: handshakeMs,
    followRedirects: false,
  });
  socket.on('open', () => {
    opened = true;
    watchPulse(socket, options.pulseMs, () => {
      failure = 'no sign of life';
      socket.terminate();
    });
    handlers.opened();
  });
  socket.on('message', (data, isBinary) => {
    if (over || socket.readyState !== WebSocket.OPEN) return;
    const read = isBinary || !Buffer.isBuffer(data) ? null : parseFrame(data.toString());
    if (read === null) return socket.close(closeCodes.protocol, 'a frame that does not fit');
    if (read.unknown.length > 0) handlers.unknown(read.unknown);
    handlers.frame(read.frame);
  });
  socket.on('unexpected-response', (_request, response) => {
    ended({
      code: response.statusCode ?? 0,
      reason: 'the upgrade was refused',
      retryAfterMs: retryAfterMs(response.headers['retry-after']),
    });
    socket.terminate();
  });
  socket.on('error', (error) => {
    failure = error.message;
  });
  socket.on('close', (code, reason) => {
    const words = opened ? reason.toString() || failure : failure;
    ended({ code: opened ? code : 0, reason: words, retryAfterMs: null });
  });
  return {
    send(text, written) {
      if (socket.readyState !== WebSocket.OPEN) return false;
      socket.send(text, () => written?.());
      return true;
    },
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    close: (code, reason) => socket.close(code, reason),
    cut: () => socket.terminate(),
  };
}

interface ReadFrame {
  readonly frame: ServerFrame;
  readonly unknown: readonly string[];
}

/** The frame in this text, or null when it is none of ours. */
export function parseFrame(text: string): ReadFrame | null {
  try {
    const read = readForward(zServerFrame, JSON.parse(text));
    return read.ok ? { frame: read.value, unknown: read.unknown } : null;
  } catch {
    return null;
  }
}
