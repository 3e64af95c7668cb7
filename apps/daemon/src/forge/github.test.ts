/** Pull requests at a server that speaks GitHub's REST, however it behaves: one per head, never guessed. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askForge, ForgeSilence, type ForgeAccess } from './http.ts';
import { propose, type Proposal } from './propose.ts';
import { startGitHub, type FakeGitHub, type Mishap } from './testing/github.ts';

const token = 'ghp_0123456789abcdefghij';
const sha = (digit: string): string => digit.repeat(40);
const head = 'makima/fix-it';

describe('a pull request', () => {
  let github: FakeGitHub;
  let branches: Map<string, string>;
  let pushes: number;
  beforeEach(async () => {
    branches = new Map();
    pushes = 0;
    github = await startGitHub({
      token,
      repository: 'ada/shop',
      defaultBranch: 'trunk',
      headOf: (branch) => branches.get(branch) ?? null,
    });
  });
  afterEach(() => github.stop());

  const access = (more: Partial<ForgeAccess> = {}): ForgeAccess => ({
    apiUrl: github.url,
    token,
    allowHosts: ['127.0.0.1'],
    ca: null,
    requestMs: 5_000,
    ...more,
  });
  const ask = (more: Partial<Proposal> = {}, by: Partial<ForgeAccess> = {}) => {
    const commitSha = more.commitSha ?? sha('a');
    return propose(access(by), {
      repository: { owner: 'ada', name: 'shop' },
      head,
      commitSha,
      base: null,
      title: 'Fix it',
      body: 'All of it.',
      push: async () => {
        pushes += 1;
        branches.set(head, commitSha);
      },
      ...more,
    });
  };
  const opened = (): number => github.pulls.length;
  const meet = (method: Mishap['method'], ...hows: Mishap['how'][]): void =>
    void github.mishaps.push(...hows.map((how) => ({ method, how })));

  it('is opened once the branch is there, into the default branch unless another is named', async () => {
    const made = await ask();
    expect(made).toEqual({
      created: true,
      pullRequest: {
        number: 7,
        url: 'https://forge.example/ada/shop/pull/7',
        state: 'open',
        headSha: sha('a'),
        base: 'trunk',
      },
    });
    expect(github.pulls).toMatchObject([{ title: 'Fix it', body: 'All of it.', base: 'trunk' }]);
    expect(github.asked.map(({ method, path }) => `${method} ${path.split('?')[0]}`)).toEqual([
      'GET /repos/ada/shop/pulls',
      'GET /repos/ada/shop',
      'POST /repos/ada/shop/pulls',
    ]);
    github.pulls.length = 0;
    expect((await ask({ base: 'release' })).pullRequest.base).toBe('release');
  });

  it('is one per head, however often and with whatever commit it is asked for', async () => {
    await ask();
    for (const digit of ['a', 'b', 'c']) {
      const again = await ask({ commitSha: sha(digit) });
      expect(again).toMatchObject({
        created: false,
        pullRequest: { number: 7, headSha: sha(digit) },
      });
    }
    expect([opened(), pushes]).toEqual([1, 4]);
    expect(branches.get(head)).toBe(sha('c'));
  });

  it('that was merged is found for the same commit, and followed by a new one for more work', async () => {
    await ask();
    const [pull] = github.pulls;
    if (pull === undefined) throw new Error('none was opened');
    Object.assign(pull, { state: 'closed', mergedAt: '2026-01-01T00:00:00Z', headSha: sha('a') });
    expect(await ask()).toMatchObject({
      created: false,
      pullRequest: { number: 7, state: 'merged' },
    });
    expect(await ask({ commitSha: sha('b') })).toMatchObject({
      created: true,
      pullRequest: { number: 8 },
    });
  });

  it('that a person closed stays closed', async () => {
    await ask();
    Object.assign(github.pulls[0] ?? {}, { state: 'closed' });
    await expect(ask({ commitSha: sha('b') })).rejects.toMatchObject({
      code: 'CONFLICT',
      details: { reason: 'pull_request_closed', prNumber: 7 },
    });
    expect([opened(), pushes]).toEqual([1, 1]);
  });

  it('that somebody opened in the same moment is theirs and ours', async () => {
    branches.set(head, sha('a'));
    const push = async (): Promise<void> => {
      const other = { head, base: 'trunk', title: 'By hand', body: '' };
      await askForge(access(), 'POST', '/repos/ada/shop/pulls', other);
    };
    expect(await ask({ push })).toMatchObject({ created: false, pullRequest: { number: 7 } });
    expect(opened()).toBe(1);
  });

  it.each(['late_cut', 'cut', 'hang', { status: 500 }, { status: 502 }] as const)(
    'is one when the answer to its opening is: %j',
    async (how) => {
      meet('POST', how);
      const made = await ask({}, { requestMs: 300 });
      expect(made).toMatchObject({ created: true, pullRequest: { number: 7, state: 'open' } });
      expect(opened()).toBe(1);
    },
  );

  it('is not claimed when nobody can tell, and found by the next who asks', async () => {
    meet('POST', 'cut', { status: 503 }, 'cut');
    await expect(ask()).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      retryable: true,
      details: { reason: 'forge_silent' },
    });
    expect(opened()).toBe(0);
    meet('POST', 'late_cut');
    meet('GET', { status: 500 });
    expect(await ask()).toMatchObject({ pullRequest: { number: 7 } });
    expect(opened()).toBe(1);
  });

  it('of a silent forge is an error that may be tried again', async () => {
    meet('GET', 'hang', 'hang');
    await expect(ask({}, { requestMs: 150 })).rejects.toMatchObject({
      retryable: true,
      details: { reason: 'forge_silent' },
    });
    meet('GET', 'cut');
    expect(await ask()).toMatchObject({ created: true });
  });

  it.each([
    [{ status: 401, body: { message: 'Bad credentials' } }, 'COMMAND_FAILED', /token/],
    [{ status: 403, body: { message: 'Not allowed' } }, 'COMMAND_FAILED', /Not allowed/],
    [{ status: 404, body: { message: 'Not Found' } }, 'COMMAND_FAILED', /no repository ada\/shop/],
    [{ status: 409, body: {} }, 'COMMAND_FAILED', /answered 409: no reason given/],
    [{ status: 301, headers: { location: 'http://169.254.169.254/' } }, 'COMMAND_FAILED', /301/],
  ] as const)('refused with %j is told with what to do', async (how, code, message) => {
    meet('GET', how);
    const refused = ask();
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    await expect(refused).rejects.toHaveProperty('fix', expect.any(String));
    expect([opened(), pushes, github.asked.length]).toEqual([0, 0, 1]);
  });

  it('beyond the limit says when it ends', async () => {
    const reset = 1_900_000_000;
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(reset) };
    meet('GET', { status: 403, headers, body: { message: 'API rate limit exceeded' } });
    await expect(ask()).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      retryable: true,
      details: { resetAt: new Date(reset * 1_000).toISOString() },
    });
    meet('POST', { status: 403, headers: { 'retry-after': '60' } });
    await expect(ask()).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    meet('GET', { status: 429 });
    await expect(ask()).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  });

  it('that is not valid is refused in GitHub’s words', async () => {
    await expect(ask({ push: async () => undefined })).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      message: 'GitHub does not accept it: Validation Failed; head: invalid',
    });
    // It says that there is one, and shows none.
    const exists = {
      message: 'Validation Failed',
      errors: ['A pull request already exists for x'],
    };
    meet('POST', ...[1, 2, 3].map(() => ({ status: 422, body: exists })));
    await expect(ask()).rejects.toMatchObject({ details: { reason: 'forge_silent' } });
  });

  it('is not read out of nonsense', async () => {
    meet('GET', 'garbage');
    await expect(ask()).rejects.toMatchObject({ details: { reason: 'forge_unknown_shape' } });
    const odd = [{ number: 1, html_url: 'javascript:alert(1)', state: 'open' }];
    meet('GET', { status: 200, body: odd });
    await expect(ask()).rejects.toMatchObject({ details: { reason: 'forge_unknown_shape' } });
  });
});

describe('a request to a forge', () => {
  const at = (apiUrl: string, allowHosts: readonly string[] = []): ForgeAccess => ({
    apiUrl,
    token,
    allowHosts,
    ca: null,
    requestMs: 1_000,
  });
  const ask = (apiUrl: string, allowHosts?: readonly string[]) =>
    askForge(at(apiUrl, allowHosts), 'GET', '/x');

  it('goes to no private address that was not allowed by name', async () => {
    for (const url of [
      'https://10.0.0.1',
      'https://169.254.169.254',
      'https://[::1]',
      'http://127.0.0.1:9',
    ])
      await expect(ask(url), url).rejects.toMatchObject({ details: { reason: 'host_refused' } });
  });

  it('carries its token over https only, but to this very machine', async () => {
    await expect(ask('http://forge.example', ['forge.example'])).rejects.toMatchObject({
      details: { reason: 'not_https' },
    });
    // Nobody listens there.
    await expect(ask('http://127.0.0.1:9', ['127.0.0.1'])).rejects.toBeInstanceOf(ForgeSilence);
  });
});
