/**
 * The queues that this service consumes, each with its handler: the jobs that the catalog gives to the
 * scheduler.
 *
 * Law: the list and the catalog agree; a test compares them.
 */
import type { JobHandler } from '@makima/bus/delivery';
import type { Bus } from '@makima/bus/queues';
import { dropStale } from '@makima/bus/stale-delivery';
import { consume, type Consumer, type ConsumeOptions } from '@makima/bus/workers';
import type { HealthCheck } from '@makima/runtime/health';
import type { Part } from '@makima/runtime/lifecycle';
import type { Engine } from '@makima/engine/context';
import { cleanContract } from './jobs/clean-contract.ts';
import { deliverNotification } from './jobs/deliver-notification.ts';
import { evaluateContract } from './jobs/evaluate-contract.ts';
import { retryTask } from './jobs/retry-task.ts';
import { spawnTask, type PlaceOwner } from './jobs/spawn-task.ts';

export function schedulerHandlers(engine: Engine, place: PlaceOwner) {
  return {
    'spawn-task': spawnTask(place),
    'evaluate-contract': evaluateContract(engine),
    'retry-task': retryTask(engine),
    'clean-contract': cleanContract(engine),
    'deliver-notification': deliverNotification(engine),
  };
}

type Handlers = ReturnType<typeof schedulerHandlers>;

export interface Consumers extends Part {
  readonly checks: readonly HealthCheck[];
}

/** A consumer per queue; nothing is taken before they start, and they stop side by side. */
export function schedulerConsumers(
  bus: Bus,
  handlers: Handlers,
  options: ConsumeOptions,
): Consumers {
  const open = <N extends keyof Handlers>(name: N, handler: JobHandler<N>): Consumer =>
    consume(bus, name, dropStale(bus, name, handler), options);
  const all = [
    open('spawn-task', handlers['spawn-task']),
    open('evaluate-contract', handlers['evaluate-contract']),
    open('retry-task', handlers['retry-task']),
    open('clean-contract', handlers['clean-contract']),
    open('deliver-notification', handlers['deliver-notification']),
  ];
  return {
    name: 'consumers',
    checks: all.map((consumer) => consumer.health),
    start: () => all.forEach((consumer) => consumer.start()),
    stop: async () => void (await Promise.all(all.map((consumer) => consumer.stop()))),
  };
}
