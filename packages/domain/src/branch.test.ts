/** Names of branches: every trick refused, and each contract within its own. */
import { describe, expect, it } from 'vitest';
import {
  belongsTo,
  branchBeside,
  contractBranch,
  isBranch,
  isCommitId,
  isNewBranch,
  mayBeginAt,
  taskBranchBeside,
} from './branch.ts';

const tricks = [
  '',
  '-x',
  '--output=/tmp/x',
  'a..b',
  '@{-1}',
  'a@{1}',
  '@',
  'x/@',
  'HEAD',
  'a b',
  'a\nb',
  'a\0b',
  ';rm',
  '$(x)',
  '`x`',
  'a'.repeat(300),
  '/a',
  'a/',
  'a//b',
  '.a',
  'a/.b',
  'a.lock',
  'a.lock/b',
  'a.',
  'a/-b',
  'a~1',
  'a^',
  'a:b',
  'a?',
  'a*',
  'a[b',
  'a\\b',
];

describe('a name of a branch', () => {
  it.each(tricks)('is not %j', (name) => {
    expect(isBranch(name)).toBe(false);
    expect(isNewBranch(name)).toBe(false);
    expect(branchBeside('fix-it', name)).toMatchObject({ ok: false });
  });

  it('may be what people use, and is narrower where makima makes it', () => {
    for (const name of ['main', 'Feature/JIRA-1', 'fix/#12', 'user@host', 'v1.2', '_x', 'a+b', 'ü'])
      expect(isBranch(name), name).toBe(true);
    for (const name of ['Main', 'x@y', 'ü', 'a'.repeat(40), '0'.repeat(64)])
      expect(isNewBranch(name), name).toBe(false);
    expect(isNewBranch('feat/x_1.2')).toBe(true);
    expect(isCommitId('a'.repeat(40))).toBe(true);
    expect(isCommitId('a'.repeat(41))).toBe(false);
  });
});

describe('a branch beside the contract’s', () => {
  it('hangs on the contract’s name, by its short or its whole name', () => {
    const whole = { ok: true, name: 'makima/fix-it.try/two' };
    expect(branchBeside('fix-it', 'try/two')).toEqual(whole);
    expect(branchBeside('fix-it', 'makima/fix-it.try/two')).toEqual(whole);
    expect(branchBeside('fix-it', 'makima-like')).toEqual({
      ok: true,
      name: 'makima/fix-it.makima-like',
    });
    expect(taskBranchBeside('fix-it', 'abc', 2)).toBe('makima/fix-it.abc-a2');
  });

  it('is never the contract’s own, another contract’s, or too long', () => {
    for (const name of [
      'makima',
      'makima/fix-it',
      'makima/fix-it/x',
      'makima/other',
      'makima/fix-it-2.x',
      'makima/fix-it.',
    ])
      expect(branchBeside('fix-it', name), name).toMatchObject({ ok: false });
    expect(branchBeside('fix-it', 'a'.repeat(199))).toEqual({
      ok: false,
      reason: 'the name is too long',
    });
  });

  it('is told from those of other contracts', () => {
    expect(belongsTo('fix-it', contractBranch('fix-it'))).toBe(true);
    expect(belongsTo('fix-it', 'makima/fix-it.x')).toBe(true);
    for (const name of ['main', 'makima/fix-it-2', 'makima/fix-it-2.x', 'makima/fix-it/x'])
      expect(belongsTo('fix-it', name), name).toBe(false);
  });
});

describe('where work of a contract may begin', () => {
  it.each(['main', 'Release/2', 'v1.0', 'a'.repeat(40), 'makima/shop', 'makima/shop.try'])(
    'at %s',
    (ref) => {
      expect(mayBeginAt('shop', 'agent', ref)).toBe(true);
    },
  );

  it.each(['makima/other', 'makima/shop/x', 'makima/shop-2'])(
    'for an agent not at %s of another contract, for a person there too',
    (ref) => {
      expect(mayBeginAt('shop', 'agent', ref)).toBe(false);
      expect(mayBeginAt('shop', 'person', ref)).toBe(true);
    },
  );

  it.each([...tricks, 'refs/makima/tasks/x-a1', 'main~1'])('for nobody at %j', (ref) => {
    expect(mayBeginAt('shop', 'person', ref)).toBe(false);
  });
});
