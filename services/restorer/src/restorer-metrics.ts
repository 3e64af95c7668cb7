/**
 * What the restorer counts.
 *
 * Law: labels are closed words; no supervisor, contract or owner.
 */
import type { Metrics } from '@makima/runtime/metrics';

export type RestorerMetrics = ReturnType<typeof restorerMetrics>;

export function restorerMetrics(metrics: Metrics) {
  return {
    restores: metrics.counter({
      name: 'makima_restores_total',
      help: 'Restorations by outcome (the strategy, blocked, or nothing to do).',
      labels: ['outcome'],
    }),
    restarts: metrics.counter({
      name: 'supervisor_restarts_total',
      help: 'Supervisors that were brought back.',
    }),
    orphans: metrics.counter({
      name: 'makima_orphaned_supervisors_total',
      help: 'Supervisors that the sweep found without a restoration.',
    }),
  };
}
