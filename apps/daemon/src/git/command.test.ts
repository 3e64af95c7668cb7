/** Check commands run at a commit, in a clean place, within their time. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readAtCommit, runCheck } from './command.ts';
import type { CheckOptions } from './command.ts';
import { isAlive, processMark } from './process-mark.ts';
import type { Store } from './store.ts';
import { commitFiles, makePlace, makeStore } from './test-repository.ts';
import type { Place } from './test-repository.ts';

describe('command', () => {
  let place: Place;
  let store: Store;
  let sha: string;
  beforeEach(async () => {
    place = await makePlace();
    sha = await commitFiles(place.repo, { 'check.sh': '#!/bin/sh\nls -a; exit 3\n' }, 'Check');
    store = await makeStore(place);
  });
  afterEach(() => place.drop());

  const check = (command: string[], more: Partial<CheckOptions> = {}) =>
    runCheck(store, { ref: 'main', command, timeoutMs: 10_000, ...more });

  it('runs in the files of the commit and tells the exit code and all output', async () => {
    const result = await check(['sh', 'check.sh']);
    expect(result).toMatchObject({ commitSha: sha, exitCode: 3, ending: 'exit', truncated: false });
    expect(result.output.split('\n')).toEqual(['.', '..', 'README.md', 'check.sh', 'src', '']);
    expect(await check(['sh', '-c', 'echo out; echo err >&2'])).toMatchObject({ exitCode: 0 });
    expect(await readdir(join(store.home, 'checks'))).toEqual([]);
  });

  it('gives the command a clean environment and its own home', async () => {
    const { output } = await check(['env'], { env: { EXTRA: '1' } });
    const keys = output
      .split('\n')
      .map((line) => line.split('=')[0])
      .filter((key) => key !== '');
    const expected = [
      'CI',
      'EXTRA',
      'GIT_CEILING_DIRECTORIES',
      'GIT_TERMINAL_PROMPT',
      'HOME',
      'LANG',
    ];
    expect(new Set(keys)).toEqual(new Set([...expected, 'PATH', 'TMPDIR']));
    expect(await check(['git', 'status'])).toMatchObject({ exitCode: 128 });
  });

  it('takes arguments as they are', async () => {
    const { output } = await check(['printf', '%s|', '; touch x', '$(x)', 'a b']);
    expect(output).toBe('; touch x|$(x)|a b|');
  });

  it('stops at the time limit and at the output cap, and leaves no process', async () => {
    const pidFile = join(place.root, 'pid');
    const script = `sleep 300 & echo $! > ${pidFile}; wait`;
    const late = await check(['sh', '-c', script], { timeoutMs: 300 });
    expect(late).toMatchObject({ exitCode: null, ending: 'timeout' });
    const flood = await check(['yes'], { maxOutputBytes: 100 });
    expect(flood).toMatchObject({ exitCode: null, ending: 'overflow', truncated: true });
    await check(['sh', '-c', `sleep 300 >/dev/null 2>&1 & echo $! >> ${pidFile}`]);
    for (const pid of (await readFile(pidFile, 'utf8')).trim().split('\n')) {
      expect(isAlive(processMark(Number(pid)))).toBe(false);
    }
  });

  it('says what cannot be run', async () => {
    expect(await check(['no-such-program'])).toMatchObject({
      exitCode: null,
      ending: 'spawn_failed',
    });
    await expect(check([])).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    await expect(check(['a\0b'])).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    await expect(check(['true'], { ref: 'none' })).rejects.toMatchObject({
      details: { reason: 'ref_missing' },
    });
  });

  it('looks a file up at a commit', async () => {
    expect(await readAtCommit(store, 'main', 'README.md')).toEqual({
      kind: 'text',
      commitSha: sha,
      content: '# Hello\n',
    });
    for (const path of ['none', 'src', '../x', '/etc/passwd', '-x', ':(glob)*', 'a\nb', '']) {
      expect(await readAtCommit(store, 'main', path), path).toMatchObject({ kind: 'missing' });
    }
    expect(await readAtCommit(store, 'main', 'README.md', 3)).toMatchObject({ kind: 'too_large' });
  });
});
