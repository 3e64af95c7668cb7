/**
 * What the end of a turn means for the attempt. Pure.
 *
 * Law: an ordinary task is over with its first completed turn after which nothing waits for it, one that works
 * in rounds when its agent says so; a supervisor is over when the server says so. A limit is no failure.
 */
import type { ApiError, TurnOutcome } from '../driver/events.ts';

export interface TurnFacts {
  readonly outcome: TurnOutcome;
  /** A usage limit rejects the agent. */
  readonly isLimited: boolean;
  /** Messages that the agent has not read. */
  readonly waitingMessages: number;
  readonly isSupervisor: boolean;
  /** Set for a task that works in rounds. */
  readonly rounds: {
    readonly done: number;
    readonly max: number;
    readonly isComplete: boolean;
  } | null;
}

/**
 * `wait`: the agent stays for a message; `limited`: it ends, and goes on when its limit is over; `again`: it is told to go
 * on; `used_up`: it was told so often enough.
 */
export type TurnVerdict = 'done' | 'failed' | 'limited' | 'wait' | 'again' | 'used_up';

export function afterTurn(facts: TurnFacts): TurnVerdict {
  if (facts.isLimited && facts.outcome !== 'completed') return 'limited';
  switch (facts.outcome) {
    case 'completed':
      if (facts.waitingMessages > 0) return 'wait';
      return facts.isSupervisor ? 'wait' : afterRound(facts.rounds);
    case 'interrupted':
    case 'deferred':
      return 'wait';
    case 'failed':
    case 'max_turns':
    case 'max_budget':
    case 'too_long':
      // A supervisor outlives a failed turn: its conversation is whole and the server decides.
      return facts.isSupervisor || facts.waitingMessages > 0 ? 'wait' : 'failed';
  }
}

function afterRound(rounds: TurnFacts['rounds']): TurnVerdict {
  if (rounds === null || rounds.isComplete) return 'done';
  return rounds.done < rounds.max ? 'again' : 'used_up';
}

/** Also without a word of when it ends: whoever is refused for being too many has asked often enough by then. */
export function isLimited(told: object | null, error: ApiError | null): boolean {
  return told !== null || error?.kind === 'rate_limit';
}

/** The outcome as `task.turn_ended` names it. */
export function wireOutcome(outcome: TurnOutcome): 'completed' | 'interrupted' | 'failed' {
  if (outcome === 'completed' || outcome === 'deferred') return 'completed';
  return outcome === 'interrupted' ? 'interrupted' : 'failed';
}
