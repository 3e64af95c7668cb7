/** Pushes over https to git's own server: forward only, never over others' commits, with nothing to see of the token. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startGitServer, type GitServer } from '../forge/testing/git-server.ts';
import { makeHostileKit } from './hostile-kit.ts';
import { pushBranch, type Push } from './push.ts';
import { remoteOf } from './remote.ts';
import { parseSource, type RemoteSource } from './source.ts';
import { resolveCommit, type Store } from './store.ts';
import { takeCommits } from './take.ts';
import {
  asAgent,
  commitFiles,
  fsck,
  makePlace,
  makeStore,
  makeTask,
  taskId,
  type Place,
} from './test-repository.ts';

const token = 'ghp_push_0123456789abcdef';
const branch = 'makima/fix-it';

describe('a push', () => {
  let place: Place;
  let store: Store;
  let server: GitServer;
  let remote: string;
  let to: RemoteSource;
  beforeEach(async () => {
    place = await makePlace();
    store = await makeStore(place);
    server = await startGitServer(place.root, token);
    remote = server.repository('ada/shop');
    to = parseSource(`${server.url}/ada/shop.git`) as RemoteSource;
  });
  afterEach(async () => {
    await server.stop();
    await place.drop();
  });

  const push = (commitSha: string, more: Partial<Push> = {}): Promise<void> =>
    pushBranch(store, {
      to,
      branch,
      commitSha,
      token,
      allowHosts: ['127.0.0.1'],
      caFile: server.caFile,
      timeoutMs: 30_000,
      ...more,
    });
  const there = (): Promise<string> => asAgent(remote, 'rev-parse', '--verify', branch);
  let attempts = 0;
  const work = async (files: Record<string, string>, from = 'main'): Promise<string> => {
    attempts += 1;
    const task = await makeTask(place, store, { attempt: attempts, ref: from });
    const sha = await commitFiles(task.dir, files, `Work ${attempts}`);
    await takeCommits(task.workdir, { task: taskId, attempt: attempts });
    return sha;
  };

  it('creates the branch, moves it forward, and does nothing when it is there', async () => {
    const first = await work({ a: '1' });
    await push(first);
    expect(await there()).toBe(first);
    const second = await work({ b: '2' }, first);
    await push(second);
    const before = server.requests.length;
    await push(second);
    expect(await there()).toBe(second);
    // Looked up and left alone: nothing was received.
    const since = server.requests.slice(before).map(({ path }) => path);
    expect(since.some((path) => path.includes('receive-pack'))).toBe(false);
    expect(await fsck(store)).toBe('');
  });

  it('replaces its own commits, also those of a push whose end was not noted, and no others', async () => {
    const first = await work({ a: '1' });
    await push(first);
    const rewritten = await work({ a: 'other' });
    await push(rewritten);
    expect(await there()).toBe(rewritten);
    const more = await work({ c: '3' }, rewritten);
    await asAgent(store.dir, '--git-dir=.', 'update-ref', '-d', `refs/makima/pushed/${branch}`);
    await push(more);
    expect(await there()).toBe(more);
    // Somebody commits to it at the remote.
    const checkout = join(place.root, 'person');
    await asAgent(place.root, 'clone', '--quiet', '-b', branch, remote, checkout);
    const theirs = await commitFiles(checkout, { theirs: 'x' }, 'Theirs');
    await asAgent(checkout, 'push', '--quiet', 'origin', `HEAD:${branch}`);
    await expect(push(await work({ d: '4' }, more))).rejects.toMatchObject({
      code: 'CONFLICT',
      details: { reason: 'diverged' },
    });
    expect(await there()).toBe(theirs);
  });

  it('is refused with what to do: wrong token, no repository, a strange authority, a private host', async () => {
    const sha = await work({ a: '1' });
    const refused = { code: 'COMMAND_FAILED', details: { reason: 'push_refused' } };
    await expect(push(sha, { token: 'ghp_wrong_token_value' })).rejects.toMatchObject(refused);
    const nowhere = parseSource(`${server.url}/ada/none.git`) as RemoteSource;
    await expect(push(sha, { to: nowhere })).rejects.toMatchObject(refused);
    await expect(push(sha, { caFile: null })).rejects.toMatchObject({ code: 'GIT_FAILED' });
    const before = server.requests.length;
    await expect(push(sha, { allowHosts: [] })).rejects.toMatchObject({
      details: { reason: 'host_refused' },
    });
    const ssh = parseSource('git@127.0.0.1:ada/shop.git') as RemoteSource;
    await expect(push(sha, { to: ssh })).rejects.toMatchObject({
      details: { reason: 'not_https' },
    });
    for (const name of ['--force', 'a..b', 'Main'])
      await expect(push(sha, { branch: name })).rejects.toMatchObject({
        code: 'VALIDATION_FAILED',
      });
    expect(server.requests).toHaveLength(before);
  });

  it('leaves no trace of the token, and runs nothing of any repository', async () => {
    const kit = await makeHostileKit(place.root);
    await kit.plant(join(place.repo, '.git'), [to.url]);
    const task = await makeTask(place, store);
    await kit.plant(join(task.dir, '.git'), [to.url]);
    const sha = await work({ a: '1', '.gitattributes': '* filter=evil\n' });
    await push(sha);
    expect(await there()).toBe(sha);
    expect(await kit.executed()).toEqual([]);
    expect(await readdir(join(store.home, 'push'))).toEqual([]);
    const found = await asAgent(place.root, 'grep', '--no-index', '-rIl', token, '.').catch(
      () => '',
    );
    expect(found).toBe('');
    expect(server.requests.every(({ path }) => !path.includes(token))).toBe(true);
  });

  it('in a home with odd characters finds its credentials all the same', async () => {
    const home = join(place.root, "it's a home");
    await mkdir(home);
    const odd = await makeStore(place, home);
    const sha = (await resolveCommit(odd, 'main')) ?? '';
    await pushBranch(odd, {
      to,
      branch,
      commitSha: sha,
      token: 'ghp_push_0123456789abcdef',
      allowHosts: ['127.0.0.1'],
      caFile: server.caFile,
      timeoutMs: 30_000,
    });
    expect(await there()).toBe(sha);
  });
});

describe('the remote of a store', () => {
  let place: Place;
  beforeEach(async () => void (place = await makePlace()));
  afterEach(() => place.drop());

  it('is its source, or the origin of the local one, by https', async () => {
    const store = await makeStore(place);
    const noRemote = { code: 'MISSING_REPO_URL' };
    await expect(remoteOf(store)).rejects.toMatchObject(noRemote);
    for (const [given, expected] of [
      ['https://github.com/ada/shop.git', 'https://github.com/ada/shop.git'],
      ['git@github.com:ada/shop.git', 'https://github.com/ada/shop.git'],
      ['ssh://git@github.com:2222/ada/shop', 'https://github.com/ada/shop'],
    ]) {
      await asAgent(place.repo, 'config', 'remote.origin.url', given ?? '');
      expect((await remoteOf(store)).url).toBe(expected);
    }
    for (const bad of [
      'https://ada:secret@github.com/ada/shop',
      'ext::sh -c x',
      '/srv/shop',
      'file:///srv',
    ]) {
      await asAgent(place.repo, 'config', 'remote.origin.url', bad);
      await expect(remoteOf(store), bad).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    }
  });

  it('is not taken from a file that the configuration includes', async () => {
    const store = await makeStore(place);
    const more = join(place.root, 'more');
    await writeFile(more, '[remote "origin"]\n\turl = https://evil.example/x/y\n');
    await asAgent(place.repo, 'config', 'include.path', more);
    await expect(remoteOf(store)).rejects.toMatchObject({ code: 'MISSING_REPO_URL' });
  });
});
