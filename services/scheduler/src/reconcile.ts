/**
 * Keeps Redis derivable: the reconciler of the bus over the engine's verb, in one process at a time.
 *
 * Law: null says that another process is at it.
 */
import { createReconciler, type Reconciler, type ReconcilerTimings } from '@makima/bus/reconciler';
import { requeueDue } from '@makima/engine/outbox/requeue';
import type { Wire } from '@makima/wire/wire';

export function schedulerReconciler(
  wire: Pick<Wire, 'bus' | 'engine' | 'leader' | 'relay'>,
  timings: Partial<ReconcilerTimings> = {},
): Reconciler {
  const { bus, engine, leader, relay } = wire;
  return createReconciler({
    bus,
    timings,
    requeued: () => relay.poke(),
    port: {
      async requeue(olderThanMs) {
        let written: number | null = null;
        await leader('requeue', async () => {
          written = await requeueDue(engine, { olderThanMs });
        });
        return written;
      },
    },
  });
}
