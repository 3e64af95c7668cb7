/** Evidence: when it is stale, when it shows the contrary, how it reads. */
import { describe, expect, it } from 'vitest';
import {
  type Evidence,
  canonicalEvidence,
  evidenceFails,
  evidenceSentence,
  evidenceStale,
} from './evidence.ts';

const commit = 'a'.repeat(40);
const moved = 'b'.repeat(40);
const file: Evidence = { kind: 'file', path: 'PLAN.md', commit };
const command: Evidence = { kind: 'command', argv: ['npm', 'test'], commit, exitCode: 0 };
const merge: Evidence = { kind: 'merge', branch: 'makima/x/build-a1', commit };
const word: Evidence = { kind: 'person', personId: 'p1', statement: 'looks right' };

describe('evidence', () => {
  it('is stale once the branch has moved', () => {
    for (const evidence of [file, command, merge]) {
      expect(evidenceStale(evidence, commit)).toBe(false);
      expect(evidenceStale(evidence, moved)).toBe(true);
      expect(evidenceStale(evidence, null)).toBe(false);
    }
  });

  it("of a person's word is stale only when it spoke of a commit", () => {
    expect(evidenceStale(word, moved)).toBe(false);
    expect(evidenceStale({ ...word, commit }, moved)).toBe(true);
  });

  it('fails when the command did', () => {
    expect(evidenceFails(command)).toBe(false);
    expect(evidenceFails({ ...command, exitCode: 1 })).toBe(true);
    expect(evidenceFails(file)).toBe(false);
  });

  it('reads as one line', () => {
    expect([file, command, merge, word].map(evidenceSentence)).toEqual([
      'PLAN.md at aaaaaaaaaa',
      '`npm test` exited with 0 at aaaaaaaaaa',
      'makima/x/build-a1 merged at aaaaaaaaaa',
      "a person's word: looks right",
    ]);
  });

  it('has one canonical form per kind', () => {
    expect([file, command, merge, word, { ...word, commit }].map(canonicalEvidence)).toEqual([
      ['file', 'PLAN.md', commit],
      ['command', commit, 0, 'npm', 'test'],
      ['merge', 'makima/x/build-a1', commit],
      ['person', 'p1', 'looks right', ''],
      ['person', 'p1', 'looks right', commit],
    ]);
  });
});
