/** Evidence: when it is stale, when it shows the contrary, how it reads. */
import { describe, expect, it } from 'vitest';
import {
  type BranchMove,
  type Evidence,
  canonicalEvidence,
  evidenceFails,
  evidenceSentence,
  leftBehind,
  movesSince,
  plainPath,
} from './evidence.ts';

const commit = 'a'.repeat(40);
const file: Evidence = { kind: 'file', path: 'PLAN.md', commit };
const command: Evidence = { kind: 'command', argv: ['npm', 'test'], commit, exitCode: 0 };
const merge: Evidence = { kind: 'merge', branch: 'makima/x/build-a1', commit };
const word: Evidence = { kind: 'person', personId: 'p1', statement: 'looks right' };

const move = (
  from: string,
  to: string,
  changed: readonly string[] = [],
  complete = true,
): BranchMove => ({ from, to, changed, complete });
const [b, c, d] = ['b'.repeat(40), 'c'.repeat(40), 'd'.repeat(40)];

describe('moves of a branch', () => {
  const moment = (n: number) => new Date(1_000 * n);
  const told = [move('0', commit), move(commit, b), move(b, c)].map((step, n) => ({
    ...step,
    at: moment(n),
  }));
  const since = (of: string, at: Date | null = null) => movesSince({ commit: of, at }, told);

  it('since a commit are those that began there and after', () => {
    expect(since('0')).toEqual(told);
    expect(since(commit)).toEqual(told.slice(1));
    expect(since(b)).toEqual(told.slice(2));
  });

  it('are none since where it stands, whenever that was looked at', () => {
    for (const at of [null, moment(0)]) expect(since(c, at)).toEqual([]);
    expect(movesSince({ commit, at: moment(0) }, [])).toEqual([]);
  });

  it('since a commit that they do not name are those that were told after the look', () => {
    expect(since(d, moment(1))).toEqual(told.slice(2));
    expect(since(d, moment(2))).toEqual([]);
    expect(since(d)).toEqual([]);
  });
});

describe('what a branch leaves behind', () => {
  it('is nothing while it stands, or moves to the same files', () => {
    for (const evidence of [file, command, merge, word, { ...word, commit }]) {
      expect(leftBehind(evidence, [])).toBeNull();
      expect(leftBehind(evidence, [move(commit, b), move(b, c)])).toBeNull();
    }
  });

  it('is a file when that file was touched, by whichever move', () => {
    const others = move(commit, b, ['src/a.ts', 'docs/PLAN.md']);
    expect(leftBehind(file, [others])).toBeNull();
    expect(leftBehind(file, [others, move(b, c, ['PLAN.md'])])).toBe(
      'PLAN.md was changed after aaaaaaaaaa',
    );
    expect(
      leftBehind(file, [move(commit, b, ['PLAN.md']), move(b, c, ['src/a.ts'])]),
    ).not.toBeNull();
    expect(leftBehind({ ...file, path: './PLAN.md' }, [move(commit, b, ['PLAN.md'])])).toBe(
      './PLAN.md was changed after aaaaaaaaaa',
    );
  });

  it('is a file when it cannot be told whether it was touched', () => {
    expect(leftBehind(file, [move(commit, b, ['src/a.ts'], false)])).toBe(
      'too much was changed after aaaaaaaaaa to tell whether PLAN.md was',
    );
    expect(leftBehind(file, [move(commit, b, [], false)])).not.toBeNull();
  });

  it('is what a command showed, as soon as anything is different', () => {
    const words = '`npm test` was not run again after aaaaaaaaaa';
    expect(leftBehind(command, [move(commit, b, ['README.md'])])).toBe(words);
    expect(leftBehind(command, [move(commit, b, [], false)])).toBe(words);
  });

  it('is never merged work, nor a word that names no commit', () => {
    const moves = [move(commit, b, ['PLAN.md', 'src/a.ts'], false)];
    expect(leftBehind(merge, moves)).toBeNull();
    expect(leftBehind(word, moves)).toBeNull();
    expect(leftBehind({ ...word, commit }, moves)).toBe('the word was given at aaaaaaaaaa');
  });

  it('knows a path however it was written', () => {
    expect(['a/b', './a/b', 'a//b', 'a/./b', '/a/b/'].map(plainPath)).toEqual(
      Array.from({ length: 5 }, () => 'a/b'),
    );
  });
});

describe('evidence', () => {
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
