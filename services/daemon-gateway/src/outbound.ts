/**
 * Sending on one socket: frames in order, with a cap on what a daemon that does not read may cost us.
 *
 * Law: above the first cap nothing more is fetched for this daemon, above the second its socket is closed;
 * what it did not get stays in the store.
 */
import type { WebSocket } from 'ws';
import type { ServerFrame } from '@makima/contracts/socket/frames';

export interface Outbound {
  /** False when the socket is not open, or was closed by this for not being read. */
  send(frame: ServerFrame): boolean;
  /** Enough waits already: fetch nothing more. */
  readonly backlogged: boolean;
  /** Resolves when what was sent so far has left this process, or the socket is gone. */
  written(): Promise<void>;
  readonly bufferedBytes: number;
}

export interface OutboundOptions {
  readonly socket: WebSocket;
  readonly backlogBytes: number;
  readonly capBytes: number;
  readonly onOverflow: () => void;
}

export function createOutbound(options: OutboundOptions): Outbound {
  const { socket, backlogBytes, capBytes } = options;
  let lastWritten: Promise<void> = Promise.resolve();
  return {
    send(frame) {
      if (socket.readyState !== socket.OPEN) return false;
      // A frame that began below the cap goes out whole, however large it is.
      if (socket.bufferedAmount > capBytes) {
        options.onOverflow();
        return false;
      }
      const written = Promise.withResolvers<void>();
      lastWritten = written.promise;
      // Called with an error when it was lost; the socket's own `close` tells that.
      socket.send(JSON.stringify(frame), () => written.resolve());
      return true;
    },
    get backlogged() {
      return socket.bufferedAmount > backlogBytes;
    },
    written: () => lastWritten,
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
  };
}
