/**
 * A connection as the gateway holds it: enough to find it, to look after it and to end it.
 *
 * Law: whoever holds many connections sees this and nothing of what they talk about.
 */
import type { DaemonPrincipal } from '@makima/engine/principal';
import type { Close } from './close.ts';

export interface Held {
  readonly daemon: DaemonPrincipal;
  /** Of the daemon's process; undefined before its hello. */
  readonly bootId: string | undefined;
  /** From its welcome to its end. */
  readonly talk: HeldTalk | undefined;
  readonly bufferedBytes: number;
  /** A ping goes out; two without any sign of life end the socket. While we do not read, silence is ours. */
  ping(): void;
  /** Tells the daemon to reconnect elsewhere. */
  goAway(afterMs: number): void;
  /** Close the socket. Twice is fine; the first reason counts. */
  end(close: Close): void;
  /** Resolves when the socket is closed and nothing of it is under way. */
  readonly over: Promise<void>;
}

export interface HeldTalk {
  readonly sessionEpoch: number;
  /** Number of the last command that was sent. */
  readonly sentSeq: number;
  /** Commands may wait. */
  poke(): void;
  /** Time passes. */
  tick(nowMs: number): void;
}
