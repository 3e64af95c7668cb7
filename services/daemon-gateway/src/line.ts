/**
 * What a part of a connection may do with it: send, end it, know whose it is. The parts (reports, beats,
 * asks, delivery) see this and not the socket.
 *
 * Law: after `end` nothing is sent and `patience.signal` is aborted.
 */
import type { ServerFrame } from '@makima/contracts/socket/frames';
import type { Engine } from '@makima/engine/context';
import type { DaemonPrincipal } from '@makima/engine/principal';
import type { Log } from '@makima/runtime/log';
import type { Close } from './close.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import type { Patience } from './patience.ts';

export interface Line {
  readonly engine: Engine;
  readonly daemon: DaemonPrincipal;
  /** Of the welcome; every write of this connection carries it. */
  readonly sessionEpoch: number;
  readonly log: Log;
  readonly metrics: GatewayMetrics;
  readonly patience: Patience;
  send(frame: ServerFrame): boolean;
  readonly backlogged: boolean;
  written(): Promise<void>;
  end(close: Close): void;
  /** Translates an error into the end of the connection. */
  fail(error: unknown): void;
}
