/**
 * Whether anybody is at the other end of a socket: asked by pings, which the gateway's socket answers whatever
 * its store does. A connection that died without a word (a router that forgot it, a gateway that stands still)
 * looks open to the operating system for minutes.
 *
 * Law: anything that comes in is a sign of life; two pings in a row without any end the socket.
 */
import type { WebSocket } from 'ws';

const missesMax = 2;

/** Begins when the socket is open, and ends with it. */
export function watchPulse(socket: WebSocket, everyMs: number, onSilence: () => void): void {
  let misses = 0;
  const alive = (): void => void (misses = 0);
  const timer = setInterval(() => {
    if (misses >= missesMax) return onSilence();
    misses += 1;
    socket.ping();
  }, everyMs);
  for (const sign of ['message', 'ping', 'pong'] as const) socket.on(sign, alive);
  socket.once('close', () => clearInterval(timer));
}
