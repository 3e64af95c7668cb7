/**
 * The figures of the consumers of this process.
 *
 * Law: the only label besides the outcome is the queue, a word of the catalog.
 */
import type { Metrics } from '@makima/runtime/metrics';

export type ConsumerMetrics = ReturnType<typeof consumerMetrics>;

export function consumerMetrics(metrics: Metrics) {
  const count = (name: string, help: string) =>
    metrics.counter({ name: `makima_${name}_total`, help, labels: ['queue'] });
  const seconds = (name: string, help: string) =>
    metrics.histogram({ name: `makima_${name}_seconds`, help, labels: ['queue'] });
  return {
    deliveries: metrics.counter({
      name: 'makima_job_deliveries_total',
      help: 'Deliveries of jobs by queue and outcome (done, retry, set_aside, redelayed).',
      labels: ['queue', 'outcome'],
    }),
    run: seconds('job_run', 'Time in the handler of a job.'),
    wait: seconds('job_wait', 'Time from the adding of a job to the start of its delivery.'),
    errors: count('worker_errors', 'Errors of workers outside of handlers.'),
    stalled: count('job_stalled', 'Jobs taken away from a worker that did not renew their locks.'),
    lockLost: count('job_lock_lost', 'Locks that this process could not renew.'),
    rebuilt: count('worker_rebuilt', 'Workers built anew because they had gone deaf.'),
  };
}
