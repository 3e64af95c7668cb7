/** The daemon's own store of a repository. */
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configureGit, git } from './run.ts';
import { ensureBranch, openStore, readStoreState, refreshStore, resolveCommit } from './store.ts';
import { asAgent, commitFiles, makePlace, makeRepository, makeStore } from './test-repository.ts';
import type { Place } from './test-repository.ts';

describe('store', () => {
  let place: Place;
  beforeEach(async () => {
    place = await makePlace();
  });
  afterEach(() => place.drop());

  const open = (source: string) => openStore({ home: place.home, source, allowLocal: true });

  it('holds the branches and tags of its source and knows its default branch', async () => {
    await asAgent(place.repo, 'tag', 'v1');
    await asAgent(place.repo, 'branch', 'Feature/JIRA-1');
    const store = await makeStore(place);
    const head = await asAgent(place.repo, 'rev-parse', 'HEAD');
    const state = await readStoreState(store);
    expect(state.defaultBranch).toBe('main');
    expect([...state.branches]).toEqual([
      ['Feature/JIRA-1', head],
      ['main', head],
    ]);
    for (const name of ['main', 'Feature/JIRA-1', 'v1', head, 'refs/remotes/origin/main']) {
      expect(await resolveCommit(store, name)).toBe(head);
    }
    expect(await resolveCommit(store, 'nowhere')).toBeNull();
    expect(await resolveCommit(store, 'a'.repeat(40))).toBeNull();
  });

  it('is one store for one source, by whatever path', async () => {
    const first = await makeStore(place);
    const second = await open(`${place.root}/./repo/`);
    expect(second.dir).toBe(first.dir);
    await symlink(place.home, join(place.root, 'other-name'));
    const home = join(place.root, 'other-name');
    const third = await makeStore(place, home);
    expect(third.dir).toBe(first.dir);
    expect((await readdir(join(place.home, 'stores'))).length).toBe(1);
  });

  it('follows the source: new commits, removed branches, rewritten history', async () => {
    await asAgent(place.repo, 'branch', 'old');
    const store = await makeStore(place);
    const before = await resolveCommit(store, 'main');
    await asAgent(place.repo, 'branch', '-D', 'old');
    const head = await commitFiles(place.repo, { 'two.txt': '2' }, 'Second');
    const state = await refreshStore(store);
    expect([...state.branches]).toEqual([['main', head]]);
    await asAgent(place.repo, 'commit', '--quiet', '--amend', '-m', 'Other');
    await refreshStore(store);
    expect(await resolveCommit(store, 'main')).not.toBe(head);
    expect(await resolveCommit(store, before ?? '')).toBe(before);
  });

  it('knows a default branch although HEAD of the source is detached', async () => {
    await asAgent(place.repo, 'checkout', '--quiet', '--detach');
    expect((await readStoreState(await makeStore(place))).defaultBranch).toBe('main');
  });

  it('takes a linked worktree and a bare repository as a source', async () => {
    await asAgent(place.repo, 'worktree', 'add', '-q', '-b', 'side', join(place.root, 'linked'));
    await asAgent(place.root, 'clone', '-q', '--bare', place.repo, 'bare.git');
    for (const name of ['linked', 'bare.git']) {
      const store = await open(join(place.root, name));
      expect(await resolveCommit(store, 'main')).not.toBeNull();
    }
  });

  it('creates a branch once and leaves an existing one where it is', async () => {
    const store = await makeStore(place);
    const sha = (await resolveCommit(store, 'main')) ?? '';
    expect(await ensureBranch(store, 'makima/fix', sha)).toEqual({ sha, created: true });
    await commitFiles(place.repo, { a: 'b' }, 'More');
    const { branches } = await refreshStore(store);
    const again = await ensureBranch(store, 'makima/fix', branches.get('main') ?? '');
    expect(again).toEqual({ sha, created: false });
    await expect(ensureBranch(store, 'makima/other', 'b'.repeat(40))).rejects.toMatchObject({
      details: { reason: 'base_missing' },
    });
  });

  it('says what is wrong with a source and how to mend it', async () => {
    await mkdir(join(place.root, 'plain'));
    await asAgent(place.root, 'init', '-q', 'empty');
    await asAgent(place.root, 'clone', '-q', '--depth=1', `file://${place.repo}`, 'shallow');
    const cases = {
      nowhere: 'source_missing',
      plain: 'not_a_repository',
      empty: 'source_empty',
      shallow: 'source_shallow',
    };
    for (const [name, reason] of Object.entries(cases)) {
      await expect(open(join(place.root, name)), name).rejects.toMatchObject({
        code: 'GIT_FAILED',
        details: { reason },
        fix: expect.stringMatching(/\w/),
      });
    }
  });

  it('recovers when an empty source gets its first commit', async () => {
    const path = join(place.root, 'late');
    await asAgent(place.root, 'init', '-q', '-b', 'main', 'late');
    await expect(open(path)).rejects.toMatchObject({ details: { reason: 'source_empty' } });
    const head = await commitFiles(path, { a: '1' }, 'First');
    expect(await resolveCommit(await open(path), 'main')).toBe(head);
  });

  it('keeps what it has when the source vanishes, and says so on refresh', async () => {
    const store = await makeStore(place);
    await rename(place.repo, `${place.repo}-gone`);
    await expect(refreshStore(store)).rejects.toMatchObject({
      details: { reason: 'source_missing' },
    });
    expect((await makeStore(place)).dir).toBe(store.dir);
    expect(await resolveCommit(store, 'main')).not.toBeNull();
  });

  it('reports a damaged source as a failure of git, and is whole after it was mended', async () => {
    const objects = join(place.repo, '.git/objects');
    await rename(objects, `${objects}-away`);
    await mkdir(objects);
    await expect(makeStore(place)).rejects.toMatchObject({ code: 'GIT_FAILED' });
    await rm(objects, { recursive: true });
    await rename(`${objects}-away`, objects);
    expect(await resolveCommit(await makeStore(place), 'main')).not.toBeNull();
  });

  it('starts over where a crash left half a store', async () => {
    const { dir } = await makeStore(place);
    await rm(dir, { recursive: true });
    await mkdir(`${dir}.new/objects`, { recursive: true });
    expect(await resolveCommit(await makeStore(place), 'main')).not.toBeNull();
  });

  it('goes on although killed git processes left their lock files', async () => {
    const store = await makeStore(place);
    const sha = (await resolveCommit(store, 'main')) ?? '';
    await mkdir(join(store.dir, 'refs/heads/makima'), { recursive: true });
    await writeFile(join(store.dir, 'refs/heads/makima/x.lock'), '');
    await writeFile(join(store.dir, 'packed-refs.lock'), '');
    // The lock of a daemon that died: a pid that cannot be, so that its owner is surely gone.
    await writeFile(`${store.dir}.lock`, '4194999:1:gone');
    expect(await ensureBranch(store, 'makima/x', sha)).toEqual({ sha, created: true });
  });

  it('does not fetch a repository of another format as if it were its own', async () => {
    await makeRepository(join(place.root, 'other'), { a: '1' });
    const path = join(place.root, 'sha256');
    await asAgent(place.root, 'init', '-q', '--object-format=sha256', path);
    await commitFiles(path, { a: '1' }, 'First');
    await expect(open(path)).rejects.toMatchObject({ code: 'GIT_FAILED' });
  });

  it('reaches an ssh host at the address that was checked, and asks nobody for a password', async () => {
    const bin = join(place.root, 'bin');
    await mkdir(bin);
    const script = `#!/bin/sh\necho "$@" >> ${place.root}/calls\nfor last; do :; done\nexec sh -c "$last"\n`;
    await writeFile(join(bin, 'ssh'), script, { mode: 0o755 });
    configureGit({ path: `${bin}:/usr/local/bin:/usr/bin:/bin` });
    try {
      const source = `ssh://git@forge.example:2222${place.repo}`;
      const lookup = () => Promise.resolve(['140.82.112.3']);
      const store = await openStore({ home: place.home, source, lookup });
      expect(await resolveCommit(store, 'main')).not.toBeNull();
      const calls = await readFile(join(place.root, 'calls'), 'utf8');
      expect(calls).toContain('-oBatchMode=yes');
      expect(calls).toContain('-oHostname=140.82.112.3 -oHostKeyAlias=[forge.example]:2222');
      expect(calls).toContain("git@forge.example git-upload-pack '/");
      const inside = { home: place.home, source, lookup: () => Promise.resolve(['10.0.0.1']) };
      await expect(refreshStore(store, inside)).rejects.toMatchObject({
        details: { reason: 'host_refused' },
      });
    } finally {
      configureGit({ path: '/usr/local/bin:/usr/bin:/bin' });
    }
  });

  it('never prunes: an unreachable object of the store stays for those who borrow it', async () => {
    const store = await makeStore(place);
    const written = await git(['hash-object', '-w', '--stdin'], { gitDir: store.dir, input: 'x' });
    await refreshStore(store);
    const kind = await git(['cat-file', '-t', written.stdout.trim()], { gitDir: store.dir });
    expect(kind.stdout.trim()).toBe('blob');
  });
});
