/**
 * What a connection sees of its gateway.
 *
 * Law: given once at the start; nothing here is global.
 */
import type { PubSub } from '@makima/bus/pubsub';
import type { Bus } from '@makima/bus/queues';
import type { Engine } from '@makima/engine/context';
import type { Log } from '@makima/runtime/log';
import type { GatewayMetrics } from './gateway-metrics.ts';
import type { Held } from './held.ts';
import type { Registry } from './registry.ts';
import type { Timings } from './timings.ts';

export interface Gateway {
  readonly engine: Engine;
  readonly bus: Bus;
  readonly pubsub: PubSub;
  readonly log: Log;
  readonly metrics: GatewayMetrics;
  readonly timings: Timings;
  readonly registry: Registry;
  /** Names this process in the rows. */
  readonly gatewayId: string;
  /** Something may have changed for this connection: look soon. */
  look(connection: Held): void;
}
