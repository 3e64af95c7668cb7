/** Files are read below their root only, whatever is swapped underneath. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { link, mkdir, rename, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readBelow } from './read-file.ts';
import { makePlace, writeFiles } from './test-repository.ts';
import type { Place } from './test-repository.ts';

/** A race is found by chance: MAKIMA_RACE_READS=150000 gives it more of it. */
const readsTotal = Number(process.env['MAKIMA_RACE_READS'] || 20_000);
const raceTimeoutMs = Math.max(20_000, 2 * readsTotal);

describe('read file', () => {
  let place: Place;
  let root: string;
  beforeEach(async () => {
    place = await makePlace();
    root = join(place.root, 'tree');
    await writeFiles(root, { 'a.txt': 'héllo\n', 'dir/b.txt': 'b', empty: '' });
    await writeFiles(place.root, { 'outside/secret.txt': 'OUTSIDE', 'tree-twin/x': 'OUTSIDE' });
  });
  afterEach(() => place.drop());

  const read = (path: string) => readBelow(root, path);
  const refused = (reason: string) => ({ kind: 'refused', reason });

  it('reads text, marks binaries, and says when there is none', async () => {
    expect(await read('a.txt')).toEqual({
      kind: 'text',
      path: 'a.txt',
      content: 'héllo\n',
      bytes: 7,
    });
    expect(await read('dir/b.txt')).toMatchObject({ content: 'b' });
    expect(await read('empty')).toMatchObject({ kind: 'text', content: '' });
    await writeFile(join(root, 'nul'), 'a\0b');
    await writeFile(join(root, 'latin'), Buffer.from([0x68, 0xe9]));
    expect(await read('nul')).toEqual({ kind: 'binary', path: 'nul', bytes: 3 });
    expect(await read('latin')).toMatchObject({ kind: 'binary' });
    for (const path of ['none', 'none/x', 'a.txt/x']) {
      expect(await read(path)).toEqual({ kind: 'missing', path });
    }
  });

  it('refuses every way out by name', async () => {
    const ways = [
      '../outside/secret.txt',
      'dir/../../outside/secret.txt',
      '/etc/passwd',
      '..',
      '.',
      '',
    ];
    ways.push('..%2foutside%2fsecret.txt', '%2e%2e/outside/secret.txt', 'a.txt\0', 'dir\\b.txt');
    ways.push(
      '．．/outside/secret.txt',
      '‥/outside/secret.txt',
      './a.txt',
      'dir//b.txt',
      'dir/',
      'x'.repeat(5_000),
    );
    for (const path of ways) {
      expect(await read(path), path).toMatchObject(refused('path_outside_worktree'));
    }
  });

  it('refuses links that lead out, also by a directory or a name that merely begins alike', async () => {
    await symlink(join(place.root, 'outside/secret.txt'), join(root, 'leaf'));
    await symlink(join(place.root, 'outside'), join(root, 'way'));
    await symlink(join(place.root, 'tree-twin'), join(root, 'twin'));
    await symlink('/proc/self', join(root, 'proc'));
    for (const path of ['leaf', 'way/secret.txt', 'twin/x', 'proc/environ']) {
      expect(await read(path), path).toMatchObject(refused('path_outside_worktree'));
    }
    await symlink('dir', join(root, 'inside'));
    expect(await read('inside/b.txt')).toMatchObject({ content: 'b' });
    await link(join(root, 'a.txt'), join(root, 'hard'));
    expect(await read('hard')).toMatchObject({ kind: 'text' });
  });

  it('refuses what is no file, without waiting for anybody', async () => {
    execFileSync('mkfifo', [join(root, 'pipe')]);
    const server = createServer().listen(join(root, 'socket'));
    await once(server, 'listening');
    for (const path of ['pipe', 'socket', 'dir']) {
      expect(await read(path), path).toMatchObject(refused('not_a_file'));
    }
    server.close();
    await writeFile(join(root, 'sparse'), '');
    await truncate(join(root, 'sparse'), 10 * 1024 ** 3);
    expect(await read('sparse')).toMatchObject(refused('too_large'));
    const capped = await readBelow(root, 'a.txt', { maxBytes: 6 });
    expect(capped).toMatchObject(refused('too_large'));
  });

  it('denies secrets, by any spelling and any link', async () => {
    const paths = ['.git/config', '.GIT/config', 'sub/.git', '.env', '.env.local', 'dir/.ENV'];
    paths.push('.claude/settings.json', '.claude/settings.local.json', 'sub/.claude/settings.json');
    for (const path of paths) expect(await read(path), path).toMatchObject(refused('denied'));
    await writeFiles(root, { '.git/config': 'x', '.env': 'x' });
    await symlink('.git', join(root, 'plain'));
    expect(await read('plain/config')).toMatchObject(refused('denied'));
    await symlink('.env', join(root, 'leaf'));
    expect(await read('leaf')).toMatchObject(refused('path_outside_worktree'));
  });

  it('refuses a root that became a link', async () => {
    await rename(root, join(place.root, 'moved'));
    await symlink(join(place.root, 'outside'), root);
    expect(await read('secret.txt')).toMatchObject(refused('root_unsafe'));
  });

  const race = { timeout: raceTimeoutMs };
  it(`lets nothing out while links are swapped under it, ${readsTotal} times`, race, async () => {
    await mkdir(join(root, 'real'));
    await writeFiles(root, { 'real/secret.txt': 'INSIDE', 'leaf-file': 'INSIDE' });
    const swapper = new Worker(swapping, { eval: true, workerData: { root, outside: place.root } });
    await once(swapper, 'message');
    const seen = { inside: 0, other: 0 };
    const leaks: unknown[] = [];
    const reader = async (path: string): Promise<void> => {
      for (let count = 0; count < readsTotal / 8; count += 1) {
        const answer = await read(path);
        if (answer.kind === 'text' && answer.content === 'INSIDE') seen.inside += 1;
        else if (answer.kind === 'text' || answer.kind === 'binary') leaks.push(answer);
        else seen.other += 1;
      }
    };
    const paths = ['swap/secret.txt', 'swap-leaf'];
    await Promise.all(Array.from({ length: 8 }, (_, index) => reader(paths[index % 2] ?? '')));
    await swapper.terminate();
    expect(leaks).toEqual([]);
    expect(seen.inside).toBeGreaterThan(100);
    expect(seen.other).toBeGreaterThan(100);
  });
});

/** `swap` and `swap-leaf` are now the real thing, now a link out, by renames that leave no gap. */
const swapping = `
const { parentPort, workerData } = require('node:worker_threads');
const fs = require('node:fs');
const at = (name) => workerData.root + '/' + name;
fs.symlinkSync(workerData.outside + '/outside', at('way-out'));
fs.symlinkSync(workerData.outside + '/outside/secret.txt', at('leaf-out'));
parentPort.postMessage('ready');
for (;;) {
  fs.renameSync(at('real'), at('swap'));
  fs.renameSync(at('leaf-file'), at('swap-leaf'));
  fs.renameSync(at('swap'), at('real'));
  fs.renameSync(at('way-out'), at('swap'));
  fs.renameSync(at('swap-leaf'), at('leaf-file'));
  fs.renameSync(at('leaf-out'), at('swap-leaf'));
  fs.renameSync(at('swap'), at('way-out'));
  fs.renameSync(at('swap-leaf'), at('leaf-out'));
}
`;
