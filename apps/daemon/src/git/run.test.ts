/** The one way in which git is run: scrubbed, bounded, ended with its children. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runBounded } from './bounded.ts';
import { findCaseClash } from './case-clash.ts';
import { GitFailure } from './failure.ts';
import { clearStaleLocks, withRepoLock } from './lock.ts';
import { kindOf } from './plain-file.ts';
import { endChildrenOf, isAlive, processMark } from './process-mark.ts';
import { git, gitEnvironment } from './run.ts';
import { readGitVersion } from './version.ts';
import { makePlace } from './test-repository.ts';
import type { Place } from './test-repository.ts';

let place: Place;
beforeEach(async () => {
  place = await makePlace();
});
afterEach(() => place.drop());

const environment = { PATH: '/usr/bin:/bin' };
const bounds = { cwd: '/', env: environment, timeoutMs: 10_000, maxBytes: 100_000 };

describe('run', () => {
  it('passes arguments as they are and nothing of our environment', async () => {
    const args = [
      '-e',
      'console.log(JSON.stringify([process.argv.slice(1), Object.keys(process.env)]))',
    ];
    const odd = ['; touch x', '$(x)', '--', 'a b', "'"];
    const result = await runBounded(process.execPath, [...args, ...odd], {
      ...bounds,
      env: { ONLY: '1' },
    });
    const [argv, keys] = JSON.parse(result.stdout.toString()) as [string[], string[]];
    expect(argv).toEqual(odd);
    expect(keys).toEqual(['ONLY']);
    const given = Object.keys(gitEnvironment('network'));
    expect(
      given.filter((key) => !/^(?:GIT_|PATH|HOME|LC_ALL|TZ|MAKIMA_GIT_OWNER)/.test(key)),
    ).toEqual([]);
    expect(gitEnvironment().GIT_ALLOW_PROTOCOL).toBe('none');
    expect(gitEnvironment('network').GIT_ALLOW_PROTOCOL).toBe('https:ssh');
  });

  it('ends the whole group at the time limit, also one that does not listen', async () => {
    const pids = join(place.root, 'pids');
    const script = `trap '' TERM; sleep 300 & echo $! >> ${pids}; echo $$ >> ${pids}; wait; sleep 300`;
    const result = await runBounded('/bin/sh', ['-c', script], { ...bounds, timeoutMs: 300 });
    expect(result).toMatchObject({ ending: 'timeout', signal: 'SIGKILL' });
    for (const pid of (await readFile(pids, 'utf8')).trim().split('\n')) {
      expect(isAlive(processMark(Number(pid)))).toBe(false);
    }
  });

  it('stops a flood at the cap, an abort at once, and reports what cannot be started', async () => {
    const flood = await runBounded('/bin/sh', ['-c', 'yes'], { ...bounds, maxBytes: 1_000 });
    expect(flood).toMatchObject({ ending: 'overflow' });
    expect(flood.stdout.length).toBe(1_000);
    const aborted = { ...bounds, signal: AbortSignal.abort() };
    expect(await runBounded('sleep', ['60'], aborted)).toMatchObject({ ending: 'aborted' });
    const none = await runBounded('/no/such/program', [], bounds);
    expect(none).toMatchObject({ ending: 'spawn_failed', exitCode: null });
    expect((await runBounded('true', ['a\0b'], bounds)).ending).toBe('spawn_failed');
    const nowhere = await runBounded('true', [], { ...bounds, cwd: join(place.root, 'none') });
    expect(nowhere.ending).toBe('spawn_failed');
  });

  it('fails with verb, exit and trimmed words, and without credentials', async () => {
    const url = 'https://user:hunter2@127.0.0.1:1/x';
    const failure = await git(['ls-remote', '--', url], { transport: 'network' }).catch(
      (e: unknown) => e,
    );
    expect(failure).toBeInstanceOf(GitFailure);
    expect(failure).toMatchObject({
      code: 'GIT_FAILED',
      verb: 'ls-remote',
      exitCode: 128,
      details: { verb: 'ls-remote', exitCode: 128, ending: 'exit' },
    });
    expect(JSON.stringify(failure) + String(failure)).not.toContain('hunter2');
    const slow = git(['cat-file', '--batch'], { gitDir: join(place.repo, '.git'), timeoutMs: 1 });
    await expect(slow).rejects.toMatchObject({ ending: 'timeout', retryable: true });
  });

  it('answers with other exit codes and cut output only when asked to', async () => {
    const gitDir = join(place.repo, '.git');
    const none = await git(['rev-parse', '-q', '--verify', 'none'], { gitDir, okCodes: [0, 1] });
    expect(none.exitCode).toBe(1);
    const cut = { gitDir, maxBytes: 5 };
    await expect(git(['log'], cut)).rejects.toMatchObject({ ending: 'overflow' });
    expect(await git(['log'], { ...cut, truncate: true })).toMatchObject({ truncated: true });
  });

  it('needs a git that can merge without a working tree', async () => {
    expect(await readGitVersion()).toMatchObject({
      ok: true,
      version: expect.stringMatching(/^\d+\./),
    });
  });
});

describe('lock', () => {
  it('lets one in at a time, in order, and goes on after a failure', async () => {
    const dir = join(place.root, 'x.git');
    const order: number[] = [];
    const turns = [1, 2, 3].map((turn) =>
      withRepoLock(dir, async () => {
        order.push(turn);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(turn);
        if (turn === 2) throw new Error('no');
      }),
    );
    expect((await Promise.allSettled(turns)).map((turn) => turn.status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(order).toEqual([1, 1, 2, 2, 3, 3]);
    expect(await kindOf(`${dir}.lock`)).toBe('missing');
  });

  it('respects a living owner, and clears a dead one with what it left', async () => {
    const dir = join(place.root, 'x.git');
    await mkdir(join(dir, 'refs/heads'), { recursive: true });
    await writeFile(join(dir, 'refs/heads/a.lock'), '');
    const owner = spawn('sleep', ['300'], { stdio: 'ignore' });
    await once(owner, 'spawn');
    const mark = processMark(owner.pid);
    await writeFile(`${dir}.lock`, mark);
    const left = spawn('sleep', ['300'], { env: { MAKIMA_GIT_OWNER: mark }, stdio: 'ignore' });
    const leftMark = processMark(left.pid);
    const waiting = withRepoLock(dir, () => Promise.resolve(), { waitMs: 50 });
    await expect(waiting).rejects.toMatchObject({ details: { reason: 'lock_timeout' } });
    expect(endChildrenOf(mark)).toBe(0);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    expect(await withRepoLock(dir, (lock) => Promise.resolve(lock.takenOver))).toBe(true);
    if (left.exitCode === null && left.signalCode === null) await once(left, 'exit');
    expect(isAlive(leftMark)).toBe(false);
    expect(await kindOf(join(dir, 'refs/heads/a.lock'))).toBe('missing');
  });

  it('does not take a reused pid or another boot for the owner', () => {
    const [pid, start, boot] = processMark().split(':');
    expect(isAlive(processMark())).toBe(true);
    expect(isAlive(`${pid}:1:${boot}`)).toBe(false);
    expect(isAlive(`${pid}:${start}:other`)).toBe(false);
    for (const mark of ['', 'x', '0:0:0', '-1:1:1']) expect(isAlive(mark)).toBe(false);
  });

  it('clears git locks but never follows a link out', async () => {
    const dir = join(place.root, 'x.git');
    const outside = join(place.root, 'outside');
    await mkdir(join(dir, 'refs'), { recursive: true });
    await mkdir(outside);
    await writeFile(join(outside, 'pnpm.lock'), '');
    await symlink(outside, join(dir, 'refs/link'));
    await writeFile(join(dir, 'index.lock'), '');
    expect(await clearStaleLocks(dir)).toEqual([join(dir, 'index.lock')]);
    expect(await kindOf(join(outside, 'pnpm.lock'))).toBe('file');
  });
});

describe('case clash', () => {
  const entries = (...list: [string, string][]) => list.map(([mode, path]) => ({ mode, path }));

  it('refuses links and pointers everywhere, files only where case folds', () => {
    const files = entries(['100644', 'a/Foo'], ['100644', 'a/foo']);
    expect(findCaseClash(files, { foldsCase: false })).toBeNull();
    expect(findCaseClash(files, { foldsCase: true })).toBe('a/Foo');
    const link = entries(['100644', 'A/modules/x'], ['120000', 'a']);
    expect(findCaseClash(link, { foldsCase: false })).toBe('A');
    const pointer = entries(['160000', 'sub'], ['100644', 'SUB/x']);
    expect(findCaseClash(pointer, { foldsCase: false })).toBe('sub');
    expect(
      findCaseClash(entries(['120000', 'a'], ['100644', 'b/a']), { foldsCase: true }),
    ).toBeNull();
  });
});
