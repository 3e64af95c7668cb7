/**
 * Sweep: questions whose asker said what should hold when nobody answers, and whose time has come.
 *
 * Law: due by the database's clock only; a person who answers at the same moment is either first or told.
 */
import { answerByDefault } from '@makima/engine/question/default';
import { createSweep, type Sweep, type SweepDeps } from './sweep.ts';

export function defaultAnswers(deps: SweepDeps): Sweep {
  return createSweep(deps, {
    name: 'default-answers',
    intervalMs: 2_000,
    who: 'one',
    round: (limit) => answerByDefault(deps.engine, { limit }),
  });
}
