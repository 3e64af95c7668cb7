/**
 * A scheduler in this process: what `main.ts` wires, with short times.
 *
 * Law: the same parts in the same order.
 */
import type { Reconciler } from '@makima/bus/reconciler';
import { createApp } from '@makima/runtime/lifecycle';
import { schedulerConsumers, schedulerHandlers } from '../consumers.ts';
import { placeOwner } from '../jobs/spawn-task.ts';
import { schedulerReconciler } from '../reconcile.ts';
import { onEnd, testWire, type Stores, type TestWire } from './kit.ts';

export interface TestScheduler extends TestWire {
  readonly reconciler: Reconciler;
  stop(): Promise<void>;
}

export interface TestSchedulerOptions {
  /** `paused`: relays and reconciles, but takes no jobs. */
  readonly consumers?: 'running' | 'paused';
}

export async function startScheduler(
  stores: Stores,
  options: TestSchedulerOptions = {},
): Promise<TestScheduler> {
  const wire = testWire(stores);
  const { bus, engine, relay } = wire;
  const consumers = schedulerConsumers(bus, schedulerHandlers(engine, placeOwner(engine)), {
    onDeaf: () => undefined,
    timings: { lockMs: 1_000, stalledMs: 300, blockMs: 200, canaryMs: 100, drainMs: 1_000 },
  });
  const reconciler = schedulerReconciler(wire, { watchMs: 50, periodMs: 60_000 });
  const parts = [relay, reconciler, ...(options.consumers === 'paused' ? [] : [consumers])];
  const app = createApp({ log: wire.log, parts });
  await app.start();
  const stop = async (): Promise<void> => void (await app.stop());
  onEnd(stop);
  return Object.assign(wire, { reconciler, stop });
}
