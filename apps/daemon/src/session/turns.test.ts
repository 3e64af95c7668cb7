/** What the end of a turn means for the attempt. */
import { describe, expect, it } from 'vitest';
import { afterTurn, wireOutcome, type TurnFacts } from './turns.ts';

const ordinary: TurnFacts = {
  outcome: 'completed',
  isLimited: false,
  waitingMessages: 0,
  isSupervisor: false,
  autonomousLoop: false,
};

describe('the end of a turn', () => {
  it('ends an ordinary task when nothing waits for it', () => {
    expect(afterTurn(ordinary)).toBe('done');
    expect(afterTurn({ ...ordinary, waitingMessages: 1 })).toBe('wait');
    expect(afterTurn({ ...ordinary, autonomousLoop: true })).toBe('wait');
    expect(afterTurn({ ...ordinary, isLimited: true })).toBe('done');
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

  it('has a name on the wire', () => {
    expect(wireOutcome('failed', 'limited')).toBe('limited');
    expect(wireOutcome('completed', 'wait')).toBe('completed');
    expect(wireOutcome('deferred', 'wait')).toBe('completed');
    expect(wireOutcome('interrupted', 'wait')).toBe('interrupted');
    expect(wireOutcome('max_turns', 'wait')).toBe('failed');
  });
});
