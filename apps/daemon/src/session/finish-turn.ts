/**
 * An agent that may end its turn before it is stopped. Why: what it has begun is whole then, and nothing new
 * is begun.
 *
 * Law: within its time, or not at all; asked again, within whichever time is over first. Who only waits in its
 * turn (for tasks, for people) has nothing to finish: it waits again when it goes on.
 */
import { doesMore } from './doing.ts';
import { decideEnd, type Ending, type LiveAttempt } from './live.ts';

export interface FinishTurn {
  readonly ending: Ending;
  readonly withinMs: number;
}

export function finishTurn(live: LiveAttempt, { ending, withinMs }: FinishTurn): void {
  live.afterTurn ??= ending;
  const timer = setTimeout(() => decideEnd(live, ending), withinMs);
  live.undo.push(() => clearTimeout(timer));
  // Without an agent there is no turn to end.
  if (live.agent === null) decideEnd(live, ending);
  else endWhenIdle(live);
}

/** After each of its events. */
export function endWhenIdle(live: LiveAttempt): void {
  if (live.afterTurn !== null && !doesMore(live)) decideEnd(live, live.afterTurn);
}
