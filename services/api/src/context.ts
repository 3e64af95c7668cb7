/**
 * What every request of the API works with: put together once, when the process starts.
 *
 * Law: handlers get everything by argument; nothing here is global.
 */
import type { Bus } from '@makima/bus/queues';
import type { PubSub } from '@makima/bus/pubsub';
import type { Engine } from '@makima/engine/context';
import type { Log } from '@makima/runtime/log';
import type { Metrics } from '@makima/runtime/metrics';
import type { Authenticator } from './auth.ts';
import type { FailedAuth } from './failed-auth.ts';
import type { HostGuard } from './guard-host.ts';
import type { ApiHealth } from './health.ts';
import type { MachineHolds } from './holds/machine-holds.ts';
import type { MonitorHub } from './monitor/hub.ts';
import type { RateLimit } from './rate-limit.ts';
import type { Holds } from './wait.ts';

export interface Api {
  readonly engine: Engine;
  readonly bus: Bus;
  readonly pubsub: PubSub;
  readonly holds: Holds;
  readonly machineHolds: MachineHolds;
  readonly monitors: MonitorHub;
  readonly auth: Authenticator;
  readonly failures: FailedAuth;
  readonly rates: RateLimit;
  readonly hosts: HostGuard;
  readonly health: ApiHealth;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Of the build, for the header `makima-version`. */
  readonly version: string;
  /** `https` adds HSTS and the Secure attribute of cookies. */
  readonly scheme: 'http' | 'https';
  /** 32 bytes that all API processes of the installation share; seals what callers carry (`seal.ts`). */
  readonly sealingKey: Uint8Array;
  /** `checked`: each answer is parsed by its schema, and one that does not fit is an error. For tests. */
  readonly responses: 'trusted' | 'checked';
}
