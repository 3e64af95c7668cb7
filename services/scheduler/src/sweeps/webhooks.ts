/**
 * Sweep: events become deliveries to the endpoints that want them.
 *
 * Law: each endpoint has a place in the feed; what lies behind it is looked at once.
 */
import { fanOutEvents } from '@makima/engine/webhook/fan-out';
import { createSweep, type Sweep, type SweepDeps } from './sweep.ts';

export function webhooks(deps: SweepDeps): Sweep {
  return createSweep(deps, {
    name: 'webhooks',
    intervalMs: 1_000,
    who: 'one',
    round: (limit) => fanOutEvents(deps.engine, { limit }),
  });
}
