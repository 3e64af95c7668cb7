/** What `run` says of a path before it hands it over. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Io } from './io.ts';
import { quoted, readRepository, uncommittedFiles } from './repository.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'makima repo-')));
const shop = join(root, 'shop');

const git = (...args: string[]): void => {
  const who = ['-c', 'user.name=t', '-c', 'user.email=t@example.com'];
  execFileSync('git', [...who, ...args], { stdio: 'ignore' });
};

beforeAll(() => {
  mkdirSync(join(shop, 'src'), { recursive: true });
  git('init', shop);
  writeFileSync(join(shop, 'file'), 'x');
  git('-C', shop, 'add', '-A');
  git('-C', shop, 'commit', '-m', 'first');
  git('init', join(root, 'empty'));
  git('clone', '--bare', shop, join(root, 'bare.git'));
  mkdirSync(join(root, 'plain'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const read = (
  given: string,
  more: { env?: Record<string, string>; sameMachine?: boolean; base?: string } = {},
) => {
  const env = { PATH: process.env['PATH'], HOME: root, ...more.env };
  const io = { cwd: root, env } as unknown as Io;
  return readRepository(io, given, { sameMachine: more.sameMachine ?? true, base: more.base });
};

describe('readRepository', () => {
  it('makes paths absolute, from here and from home, and finds the top', async () => {
    expect(await read('shop')).toEqual({ localPath: shop });
    expect(await read('./shop/src')).toEqual({ localPath: shop });
    expect(await read('~/shop')).toEqual({ localPath: shop });
    expect(await read('bare.git')).toEqual({ localPath: join(root, 'bare.git') });
  });

  it.each(['https://example.com/a.git', 'git@example.com:a/b.git', 'ssh://git@example.com/a'])(
    'leaves the URL %s alone',
    async (url) => {
      expect(await read(url)).toEqual({ repositoryUrl: url });
    },
  );

  it('says what is wrong and how to mend it', async () => {
    await expect(read('nowhere')).rejects.toMatchObject({
      message: `${root}/nowhere does not exist`,
    });
    await expect(read('plain')).rejects.toMatchObject({
      message: `${root}/plain is not a git repository`,
      fix: expect.stringContaining(`git init '${root}/plain'`) as string,
    });
    await expect(read('empty')).rejects.toMatchObject({
      message: `${root}/empty has no commit yet`,
      fix: expect.stringContaining('commit -m') as string,
    });
    await expect(read('shop', { env: { PATH: '/nowhere' } })).rejects.toMatchObject({
      message: 'git is not installed',
    });
  });

  it('knows the branch to begin from, or says which there are', async () => {
    git('-C', shop, 'branch', '-M', 'main');
    git('-C', shop, 'tag', 'v1');
    for (const base of ['main', 'v1', 'refs/heads/main'])
      expect(await read('shop', { base })).toEqual({ localPath: shop });
    await expect(read('shop', { base: 'nobranch' })).rejects.toMatchObject({
      message: `${shop} has no branch 'nobranch'`,
      fix: expect.stringContaining('--base <branch>') as string,
      details: { candidates: ['main'] },
    });
    await expect(read('shop', { base: '--all' })).rejects.toThrow('has no branch');
    expect(await read('shop', { base: 'far', sameMachine: false })).toEqual({ localPath: shop });
  });

  it('counts what is not committed', async () => {
    const io = { cwd: root, env: { PATH: process.env['PATH'] } } as unknown as Io;
    expect(await uncommittedFiles(io, shop)).toBe(0);
    writeFileSync(join(shop, 'file'), 'y');
    writeFileSync(join(shop, 'new'), 'y');
    expect(await uncommittedFiles(io, shop)).toBe(2);
    expect(await uncommittedFiles(io, join(root, 'plain'))).toBe(0);
  });

  it('takes the word of someone who names a path on another machine', async () => {
    const far = { sameMachine: false };
    expect(await read('/srv/far', far)).toEqual({ localPath: '/srv/far' });
  });

  it('is not misled by the GIT_DIR of a hook', async () => {
    const env = { GIT_DIR: join(root, 'empty/.git') };
    expect(await read('shop', { env })).toEqual({ localPath: shop });
  });
});

describe('quoted', () => {
  it('is one word for a shell', () => {
    expect(quoted('/a/b-c.d')).toBe('/a/b-c.d');
    expect(quoted("it's here")).toBe(String.raw`'it'\''s here'`);
  });
});
