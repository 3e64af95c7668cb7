/** Handler of operations on many contracts; counted by kind. */
import { batchContracts } from '@makima/engine/contract/batch';
import type { Handlers } from '../mount.ts';

export const batchHandlers = {
  batchContracts: async ({ api, engine, call, input }) => {
    const acted = await batchContracts(engine, call, input);
    const counter = api.metrics.counter({
      name: 'batch_operations_total',
      help: 'Operations on many contracts that were carried out.',
      labels: ['type'],
    });
    if (!input.dry_run && !acted.replayed) counter.inc({ type: input.operation });
    return acted;
  },
} satisfies Partial<Handlers>;
