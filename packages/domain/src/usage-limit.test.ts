/** When a limit ends, and what a person may decide about it. */
import { describe, expect, it } from 'vitest';
import { limitChoices, limitEnds, limitPolicy, readLimitChoice } from './usage-limit.ts';

const now = new Date('2030-01-01T12:00:00Z');
const inMs = (ms: number): Date => new Date(now.getTime() + ms);

describe('a limit ends', () => {
  it('when the house of the model said, and a moment later', () => {
    expect(limitEnds({ resetsAt: inMs(3_600_000), inARow: 1 }, now)).toEqual(inMs(3_601_000));
    expect(limitEnds({ resetsAt: inMs(1), inARow: 9 }, now)).toEqual(inMs(1_001));
  });

  it.each([
    ['nothing', null],
    ['a time that is over', inMs(0)],
    ['a time that no plan has', inMs(33 * 86_400_000)],
  ])('after a pause of its own when it said %s', (_, resetsAt) => {
    expect(limitEnds({ resetsAt, inARow: 1 }, now)).toEqual(inMs(300_000));
    expect(limitEnds({ resetsAt, inARow: 2 }, now)).toEqual(inMs(600_000));
    expect(limitEnds({ resetsAt, inARow: 4 }, now)).toEqual(inMs(2_400_000));
    expect(limitEnds({ resetsAt, inARow: 5 }, now)).toEqual(inMs(3_600_000));
    expect(limitEnds({ resetsAt, inARow: 5_000 }, now)).toEqual(inMs(3_600_000));
    expect(limitEnds({ resetsAt, inARow: 0 }, now)).toEqual(inMs(300_000));
  });
});

describe('who is asked', () => {
  it('is a person where task or contract want it, else nobody', () => {
    expect(limitPolicy('ask', 'resume')).toBe('ask');
    expect(limitPolicy('resume', 'ask')).toBe('ask');
    expect(limitPolicy('resume', 'resume')).toBe('resume');
    expect(limitPolicy('resume', undefined)).toBe('resume');
  });

  it('decides by one of three words, and by nothing else', () => {
    expect(limitChoices.map(readLimitChoice)).toEqual(['when_over', 'now', 'stop']);
    expect(readLimitChoice(' go on NOW ')).toBe('now');
    expect(readLimitChoice('perhaps')).toBeUndefined();
  });
});
