/**
 * Usage limits of an agent's account: when who met one goes on, and who is asked first.
 *
 * Law: a limit is a pause, never a failure. A time that was told is kept as long as it can be true; without
 * one the pause doubles each time.
 */

/** What follows when a limit is met: it goes on by itself when the limit ends, or a person is asked. */
export const limitPolicies = ['resume', 'ask'] as const;

export type LimitPolicy = (typeof limitPolicies)[number];

export interface LimitTold {
  /** As the house of the model said; null when it said nothing. */
  readonly resetsAt: Date | null;
  /** How many attempts in a row have met a limit, this one included. */
  readonly inARow: number;
}

/** Clocks differ a little: a limit that ends at the very moment is met again. */
const marginMs = 1_000;
const shortestMs = 5 * 60_000;
const longestMs = 60 * 60_000;
/** No plan has a window longer than a month. */
const believableMs = 32 * 24 * 60 * 60_000;

export function limitEnds({ resetsAt, inARow }: LimitTold, now: Date): Date {
  const told = resetsAt?.getTime() ?? 0;
  if (told > now.getTime() && told - now.getTime() <= believableMs)
    return new Date(told + marginMs);
  const pauseMs = Math.min(longestMs, shortestMs * 2 ** Math.min(10, Math.max(0, inARow - 1)));
  return new Date(now.getTime() + pauseMs);
}

/** Where the contract asks, its tasks do too: nobody who spawns one loosens that. */
export function limitPolicy(task: LimitPolicy, contract: LimitPolicy | undefined): LimitPolicy {
  return task === 'ask' || contract === 'ask' ? 'ask' : 'resume';
}

/** Answers to the question whether an agent that met a limit goes on. */
export const limitChoices = ['Go on when it is over', 'Go on now', 'Stop it'] as const;

export type LimitChoice = 'when_over' | 'now' | 'stop';

const chosen: Readonly<Record<(typeof limitChoices)[number], LimitChoice>> = {
  'Go on when it is over': 'when_over',
  'Go on now': 'now',
  'Stop it': 'stop',
};

/** Undefined for any other words: they decide nothing. */
export function readLimitChoice(answer: string): LimitChoice | undefined {
  const wanted = answer.trim().toLowerCase();
  const choice = limitChoices.find((one) => one.toLowerCase() === wanted);
  return choice === undefined ? undefined : chosen[choice];
}
