/** Long transcript lines travel in pieces and come back whole. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wireLimits } from '@makima/contracts/limits';
import { groupsOf, joinPieces } from './transcript.ts';

describe('a transcript on the wire', () => {
  it('comes back as it was, in reports of bounded size', () => {
    const anyLine = fc
      .tuple(fc.string({ unit: 'binary' }), fc.nat(4))
      .map(([text, times]) => JSON.stringify({ text }) + `"${text}😀`.repeat(times * 9_000));
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 4 }), (lines) => {
        const groups = [...groupsOf(lines)];
        for (const group of groups) {
          expect(JSON.stringify(group).length).toBeLessThan(wireLimits.daemonFrameBytes);
          for (const piece of group) expect(piece.isWellFormed()).toBe(true);
        }
        expect(joinPieces(groups.flat())).toEqual(lines);
      }),
      { numRuns: 40 },
    );
  });
});
