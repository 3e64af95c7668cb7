// The repository of the demo: it fails its tests, and passes them when it is mended.
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inWords, testsIn, testsOnBranch } from './proof.ts';
import { git, makeRepository, pieces } from './repository.ts';

let dir: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'makima demo ')));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('the repository that the demo makes', () => {
  it('fails every test, and passes when the pieces are mended on a branch', async () => {
    makeRepository(dir);
    const before = await testsIn(dir);
    expect([before, inWords(before)]).toEqual([{ pass: 0, fail: 3 }, '0 of 3 pass']);
    git(dir, ['checkout', '--quiet', '-b', 'mended']);
    for (const piece of pieces) writeFileSync(join(dir, piece.file), piece.mended('_'));
    const identity = ['-c', 'user.name=x', '-c', 'user.email=x@localhost'];
    git(dir, [...identity, 'commit', '--quiet', '--all', '-m', 'mended']);
    git(dir, ['checkout', '--quiet', 'main']);
    expect(await testsOnBranch(dir, 'mended')).toEqual({ pass: 3, fail: 0 });
    expect(git(dir, ['status', '--porcelain'])).toBe('');
  });
});
