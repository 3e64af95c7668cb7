/**
 * Sweep: answers that came while nobody held for them any more reach their askers as messages.
 *
 * Law: each answer goes out once; who has read it as a tool's result gets no message.
 */
import { deliverLateAnswers } from '@makima/engine/question/redeliver-answers';
import { createSweep, type Sweep, type SweepDeps } from './sweep.ts';

export function lateAnswers(deps: SweepDeps): Sweep {
  return createSweep(deps, {
    name: 'late-answers',
    intervalMs: 2_000,
    who: 'one',
    round: (limit) => deliverLateAnswers(deps.engine, { limit }),
  });
}
