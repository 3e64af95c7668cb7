/**
 * A ticket whose time is over: its task is fenced, ended or gone. That is a success that does nothing, for
 * every job alike.
 *
 * Law: a stale delivery changes nothing and fails nothing; it is counted.
 */
import { isMakimaError, type ErrorCode } from '@makima/domain/error';
import type { JobName } from '@makima/contracts/jobs';
import { racepoint } from '@makima/runtime/racepoint';
import type { JobHandler } from './delivery.ts';
import type { Bus } from './queues.ts';

const stale: ReadonlySet<ErrorCode> = new Set([
  'FENCED',
  'NOT_FOUND',
  'CONTRACT_NOT_FOUND',
  'SUPERVISOR_NOT_FOUND',
]);

/** The handler, with stale deliveries taken as done; a racepoint stands before (`<job>.before`) and after it. */
export function dropStale<N extends JobName>(
  bus: Bus,
  name: N,
  handler: JobHandler<N>,
): JobHandler<N> {
  const dropped = bus.inner.metrics.counter({
    name: 'makima_stale_deliveries_total',
    help: 'Jobs that found their time over, by queue.',
    labels: ['queue'],
  });
  return async (payload, context) => {
    await racepoint(`${name}.before`);
    try {
      await handler(payload, context);
    } catch (error) {
      if (!isMakimaError(error) || !stale.has(error.code)) throw error;
      dropped.inc({ queue: name });
      context.log.debug({ code: error.code }, 'stale job dropped');
    }
    await racepoint(`${name}.after`);
  };
}
