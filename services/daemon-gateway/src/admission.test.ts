/** The bucket: a burst, a rate, and hints that spread those who were refused. */
import { describe, expect, it } from 'vitest';
import { createAdmission } from './admission.ts';

describe('admission', () => {
  it('lets a second’s worth in at once, then so many a second', () => {
    let at = 0;
    const admission = createAdmission({ perSecond: 10, now: () => at, random: () => 0 });
    const admitted = (tries: number): number =>
      Array.from({ length: tries }, () => admission.admit()).filter((wait) => wait === 0).length;
    expect(admitted(100)).toBe(10);
    at = 500;
    expect(admitted(100)).toBe(5);
    at = 10_000;
    expect(admitted(100)).toBe(10);
  });

  it('spreads the refused over the time that they will take', () => {
    let at = 0;
    const admission = createAdmission({ perSecond: 10, now: () => at, random: () => 0.999 });
    const waits = Array.from({ length: 110 }, () => admission.admit()).slice(10);
    expect(waits[0]).toBe(2);
    expect(waits.at(-1)).toBe(11);
    at = 60_000;
    const later = Array.from({ length: 11 }, () => admission.admit()).at(-1);
    expect(later).toBe(2);
  });
});
