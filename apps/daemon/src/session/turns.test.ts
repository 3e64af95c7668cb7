/** What the end of a turn means for the attempt. */
import { describe, expect, it } from 'vitest';
import { afterTurn, isLimited, wireOutcome, type TurnFacts } from './turns.ts';

const ordinary: TurnFacts = {
  outcome: 'completed',
  isLimited: false,
  waitingMessages: 0,
  isSupervisor: false,
  rounds: null,
};

describe('the end of a turn', () => {
  it('ends an ordinary task when nothing waits for it', () => {
    expect(afterTurn(ordinary)).toBe('done');
    expect(afterTurn({ ...ordinary, waitingMessages: 1 })).toBe('wait');
    expect(afterTurn({ ...ordinary, isLimited: true })).toBe('done');
  });

  it('goes on in rounds until its agent says that it is done, or they are used up', () => {
    const rounds = { done: 1, max: 3, isComplete: false };
    expect(afterTurn({ ...ordinary, rounds })).toBe('again');
    expect(afterTurn({ ...ordinary, rounds: { ...rounds, isComplete: true } })).toBe('done');
    expect(afterTurn({ ...ordinary, rounds: { ...rounds, done: 3 } })).toBe('used_up');
    expect(afterTurn({ ...ordinary, rounds, waitingMessages: 1 })).toBe('wait');
    expect(afterTurn({ ...ordinary, rounds, outcome: 'failed' })).toBe('failed');
    expect(afterTurn({ ...ordinary, rounds, isSupervisor: true })).toBe('wait');
  });

  it('never ends a supervisor', () => {
    for (const outcome of ['completed', 'failed', 'interrupted', 'max_turns'] as const) {
      expect(afterTurn({ ...ordinary, isSupervisor: true, outcome }), outcome).toBe('wait');
    }
  });

  it('fails an ordinary task, unless a message may mend it or a limit is the reason', () => {
    for (const outcome of ['failed', 'max_turns', 'max_budget', 'too_long'] as const) {
      expect(afterTurn({ ...ordinary, outcome }), outcome).toBe('failed');
      expect(afterTurn({ ...ordinary, outcome, waitingMessages: 1 }), outcome).toBe('wait');
      expect(afterTurn({ ...ordinary, outcome, isLimited: true }), outcome).toBe('limited');
      expect(afterTurn({ ...ordinary, outcome, isLimited: true, isSupervisor: true })).toBe(
        'limited',
      );
    }
  });

  it('waits after an interruption or a deferral', () => {
    expect(afterTurn({ ...ordinary, outcome: 'interrupted' })).toBe('wait');
    expect(afterTurn({ ...ordinary, outcome: 'deferred' })).toBe('wait');
  });

  it('is limited by what was told, or by a refusal for being too many', () => {
    const error = (kind: 'rate_limit' | 'overloaded') => ({ kind, status: 429, message: '' });
    expect(isLimited({ resetsAt: null, window: null }, null)).toBe(true);
    expect(isLimited(null, error('rate_limit'))).toBe(true);
    expect(isLimited(null, error('overloaded'))).toBe(false);
    expect(isLimited(null, null)).toBe(false);
  });

  it('has a name on the wire', () => {
    expect(wireOutcome('completed')).toBe('completed');
    expect(wireOutcome('deferred')).toBe('completed');
    expect(wireOutcome('interrupted')).toBe('interrupted');
    expect(wireOutcome('max_turns')).toBe('failed');
  });
});
