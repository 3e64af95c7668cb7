/**
 * The queues that this service consumes, each with its handler: the jobs that the catalog gives to the
 * restorer.
 *
 * Law: the list and the catalog agree; a test compares them.
 */
import type { JobHandler } from '@makima/bus/delivery';
import type { Bus } from '@makima/bus/queues';
import { dropStale } from '@makima/bus/stale-delivery';
import { consume, type Consumer, type ConsumeOptions } from '@makima/bus/workers';
import type { Engine } from '@makima/engine/context';
import type { HealthCheck } from '@makima/runtime/health';
import type { Part } from '@makima/runtime/lifecycle';
import { restoreSupervisor, type Restore } from './jobs/restore-supervisor.ts';
import { saveState } from './jobs/save-state.ts';
import { wakeSupervisor } from './jobs/wake-supervisor.ts';

export function restorerHandlers(engine: Engine, restore: Restore) {
  return {
    'restore-supervisor': restoreSupervisor(restore),
    'save-state': saveState(engine),
    'wake-supervisor': wakeSupervisor(engine),
  };
}

type Handlers = ReturnType<typeof restorerHandlers>;

export interface Consumers extends Part {
  readonly checks: readonly HealthCheck[];
}

/** A consumer per queue; nothing is taken before they start, and they stop side by side. */
export function restorerConsumers(
  bus: Bus,
  handlers: Handlers,
  options: ConsumeOptions,
): Consumers {
  const open = <N extends keyof Handlers>(name: N, handler: JobHandler<N>): Consumer =>
    consume(bus, name, dropStale(bus, name, handler), options);
  const all = [
    open('restore-supervisor', handlers['restore-supervisor']),
    open('save-state', handlers['save-state']),
    open('wake-supervisor', handlers['wake-supervisor']),
  ];
  return {
    name: 'consumers',
    checks: all.map((consumer) => consumer.health),
    start: () => all.forEach((consumer) => consumer.start()),
    stop: async () => void (await Promise.all(all.map((consumer) => consumer.stop()))),
  };
}
