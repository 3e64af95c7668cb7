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
  return {
    send(frame) {
      if (socket.readyState !== socket.OPEN) return false;
      // A frame that began below the cap goes out whole, however large it is.
      if (socket.bufferedAmount > capBytes) {
        options.onOverflow();
        return false;
      }
      socket.send(JSON.stringify(frame), ignoreLoss);
      return true;
    },
    get backlogged() {
      return socket.bufferedAmount > backlogBytes;
    },
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
  };
}

/** The socket's own `close` tells it. */
function ignoreLoss(): void {
  return undefined;
}
