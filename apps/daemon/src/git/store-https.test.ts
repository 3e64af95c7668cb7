/** A repository behind a sign-in: fetched by https with the machine's token, of which nothing is left to see. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startGitServer, type GitServer } from '../forge/testing/git-server.ts';
import type { RemoteAccess } from './credentials.ts';
import { openStore, readStoreState, refreshStore, type RefreshOptions } from './store.ts';
import { asAgent, commitFiles, makePlace, type Place } from './test-repository.ts';

const token = 'ghp_fetch_0123456789abcdef';

describe('a repository that wants a sign-in', () => {
  let place: Place;
  let server: GitServer;
  let remote: string;
  beforeAll(async () => {
    place = await makePlace();
    server = await startGitServer(place.root, token);
    remote = server.repository('ada/shop');
    await asAgent(place.repo, 'push', '--quiet', remote, 'main');
  });
  afterAll(async () => {
    await server.stop();
    await place.drop();
  });
  beforeEach(() => void server.requests.splice(0));

  const asked: string[] = [];
  const withAccess = (access: RemoteAccess | null): RefreshOptions => ({
    allowHosts: ['127.0.0.1'],
    accessTo: async (host) => {
      asked.push(host);
      return access;
    },
  });
  const open = (options: RefreshOptions, name = 'ada/shop') =>
    openStore({ home: place.home, source: `${server.url}/${name}.git`, ...options });

  it('is opened and followed with the token, which is sent when it is asked for', async () => {
    const options = withAccess({ token, caFile: server.caFile });
    const store = await open(options);
    const first = await asAgent(place.repo, 'rev-parse', 'main');
    expect((await readStoreState(store)).branches.get('main')).toBe(first);
    expect(server.requests.map(({ allowed }) => allowed).slice(0, 2)).toEqual([false, true]);
    const second = await commitFiles(place.repo, { 'two.txt': '2' }, 'Second');
    await asAgent(place.repo, 'push', '--quiet', remote, 'main');
    expect((await refreshStore(store, options)).branches.get('main')).toBe(second);
    expect(new Set(asked)).toEqual(new Set(['127.0.0.1']));
    for (const file of await readdir(place.home, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const content = await readFile(join(file.parentPath, file.name));
      expect(content.includes(token), file.name).toBe(false);
    }
  });

  it('is not opened without one, or with one that may not, and says which and what to do', async () => {
    server.repository('ada/other');
    const wrong = withAccess({ token: 'ghp_wrong_token_value', caFile: server.caFile });
    await expect(open(wrong, 'ada/other')).rejects.toMatchObject({
      code: 'GIT_FAILED',
      message: 'The repository does not let the token of this machine read it',
      details: { reason: 'source_unreachable' },
    });
    expect(server.requests.some(({ allowed }) => allowed)).toBe(false);
    const none = withAccess({ token: null, caFile: server.caFile });
    await expect(open(none, 'ada/other')).rejects.toMatchObject({
      message: 'The repository wants a sign-in, and this machine has no token for its host',
      details: { reason: 'source_unreachable' },
      fix: expect.stringContaining('MAKIMA_GITHUB_TOKEN_FILE'),
    });
    const failed = await open(wrong, 'ada/other').catch((error: unknown) => error);
    expect(JSON.stringify(failed)).not.toContain('ghp_wrong');
  });
});
