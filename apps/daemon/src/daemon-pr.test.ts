/** Pull requests by the real daemon: pushed over https, opened once whatever dies, its token nowhere to be seen. */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandOf } from '@makima/contracts/socket/commands';
import type { ReportOf } from '@makima/contracts/socket/reports';
import { startGitHub, type FakeGitHub } from './forge/testing/github.ts';
import { startGitServer, type GitServer } from './forge/testing/git-server.ts';
import { asAgent, makePlace, type Place } from './git/test-repository.ts';
import { createTestDaemon, startCommand, type TestDaemon } from './test/daemon-process.ts';
import { createFakeGateway, type FakeGateway } from './test/gateway.ts';

const token = 'ghp_daemon_0123456789abcdef';

describe("a daemon's pull requests", () => {
  let gateway: FakeGateway;
  let daemon: TestDaemon;
  let place: Place;
  let forge: GitServer;
  let github: FakeGitHub;
  let remote: string;
  const supervisor = { taskId: '', attempt: 1 };
  beforeEach(async () => {
    place = await makePlace();
    gateway = await createFakeGateway();
    forge = await startGitServer(place.root, token);
    remote = forge.repository('ada/shop');
    await asAgent(place.repo, 'push', '--quiet', remote, 'main');
    await asAgent(place.repo, 'remote', 'add', 'origin', `${forge.url}/ada/shop.git`);
    github = await startGitHub({
      token,
      repository: 'ada/shop',
      headOf: (branch) => headAt(remote, branch),
    });
    daemon = await createTestDaemon({
      gatewayUrl: gateway.url,
      env: {
        MAKIMA_GITHUB_HOST: '127.0.0.1',
        MAKIMA_GITHUB_API_URL: github.url,
        MAKIMA_FORGE_CA_FILE: forge.caFile,
        MAKIMA_ALLOW_HOSTS: '127.0.0.1',
      },
    });
    await writeFile(join(daemon.home, 'github-token'), `${token}\n`, { mode: 0o600 });
    await daemon.start();
  });
  afterEach(async () => {
    await daemon.drop();
    await Promise.all([gateway.stop(), github.stop(), forge.stop()]);
    await place.drop();
  });

  const repository = { url: null, path: '', baseBranch: null as string | null };
  /** Its branch has a commit of its own; the agent looks at all that it can see of its surroundings. */
  async function worked(): Promise<void> {
    repository.path = place.repo;
    const start = startCommand(
      '- write:\n    file: a.txt\n    content: one\n- commit: first\n- run: [sh, -c, "env; cat /proc/$PPID/cmdline"]\n  as: r\n- say: "${r.output}"',
      {
        repository,
        contractSlug: 'fix-it',
        contractBranch: 'makima/fix-it',
      },
    );
    gateway.command(start);
    supervisor.taskId = start.taskId;
    expect((await gateway.ended(start)).outcome).toBe('done');
    const operationId = randomUUID();
    gateway.command({
      kind: 'branch.merge',
      operationId,
      taskId: start.taskId,
      attempt: 1,
      repository,
      targetBranch: 'makima/fix-it',
      squash: false,
      message: 'Merge it',
    });
    expect((await gateway.finished(operationId)).result).toMatchObject({ success: true });
  }
  const command = (more: Partial<CommandOf<'pr.open'>> = {}): CommandOf<'pr.open'> => ({
    kind: 'pr.open',
    operationId: randomUUID(),
    ...supervisor,
    repository,
    branch: 'makima/fix-it',
    from: 'branch',
    baseBranch: null,
    title: 'Fix it',
    body: 'All of it.',
    ...more,
  });
  async function open(
    more: Partial<CommandOf<'pr.open'>> = {},
  ): Promise<ReportOf<'operation.finished'>> {
    const asked = command(more);
    gateway.command(asked);
    return gateway.finished(asked.operationId);
  }

  it('push the branch, open one, and answer the same one again', async () => {
    await worked();
    const first = await open();
    expect(first).toMatchObject({
      ok: true,
      result: {
        kind: 'pr.open',
        prNumber: 7,
        prUrl: 'https://forge.example/ada/shop/pull/7',
        branch: 'makima/fix-it',
        baseBranch: 'main',
        state: 'open',
        created: true,
      },
    });
    expect(await asAgent(remote, 'show', 'makima/fix-it:a.txt')).toBe('one');
    expect((await open()).result).toMatchObject({ prNumber: 7, created: false });
    const both = await Promise.all([open(), open()]);
    expect(both.map(({ result }) => result)).toMatchObject([{ prNumber: 7 }, { prNumber: 7 }]);
    expect(github.pulls).toHaveLength(1);
    // A task's own work is proposed under a name beside the contract's.
    const ofTask = await open({
      branch: 'makima/fix-it.work-a1',
      from: 'task',
      baseBranch: 'main',
    });
    expect(ofTask.result).toMatchObject({ prNumber: 8, branch: 'makima/fix-it.work-a1' });
    expect(github.pulls.map(({ head }) => head)).toEqual([
      'makima/fix-it',
      'makima/fix-it.work-a1',
    ]);
  });

  it('are pushed from where a person allowed it and from nowhere else', async () => {
    await worked();
    const store = await open({ expectedSha: '0'.repeat(40) });
    expect(store).toMatchObject({
      ok: false,
      error: { code: 'CONFLICT', retryable: true, details: { reason: 'branch_moved' } },
    });
    expect([headAt(remote, 'makima/fix-it'), github.asked]).toEqual([null, []]);
    const expectedSha = String(store.error?.details?.['commitSha']);
    const allowed = await open({ expectedSha });
    expect(allowed.result).toMatchObject({ commitSha: expectedSha, created: true });
    expect(headAt(remote, 'makima/fix-it')).toBe(expectedSha);
  });

  it('are one when the daemon dies right after it was opened', async () => {
    await worked();
    github.mishaps.push({ method: 'POST', how: 'late_hang' });
    const asked = command();
    gateway.command(asked);
    await gateway.until('the pull request', () => github.pulls.length === 1);
    await daemon.end('SIGKILL');
    await daemon.start();
    expect((await gateway.finished(asked.operationId)).result).toMatchObject({ prNumber: 7 });
    expect(github.pulls).toHaveLength(1);
  });

  it('show their token to nobody', async () => {
    await worked();
    await open();
    github.mishaps.push({ method: 'GET', how: { status: 401, body: { message: `no ${token}` } } });
    expect((await open()).error).toMatchObject({ code: 'COMMAND_FAILED' });
    const told = JSON.stringify(
      gateway.of('operation.finished').concat(gateway.of('task.outputted') as never),
    );
    expect(told).toContain('pr.open');
    expect(told).not.toContain(token);
    expect(daemon.log()).not.toContain(token);
    for (const file of await readdir(daemon.root, { recursive: true, withFileTypes: true })) {
      if (!file.isFile() || file.name === 'github-token') continue;
      const content = await readFile(join(file.parentPath, file.name));
      expect(content.includes(token), file.name).toBe(false);
    }
    // An agent that knows it all the same cannot publish it.
    const words = { title: `Fix ${token}`, body: Buffer.from(`x ${token} y`).toString('base64') };
    await open({ ...words, branch: 'makima/fix-it.work-a1', from: 'task' });
    expect(github.pulls[1]?.title).toBe('Fix [redacted:forge-token]');
    expect(github.pulls[1]?.body).toContain('[redacted:forge-token]');
  });

  it('are refused with what to do: no token, another forge, no remote, no branch', async () => {
    await worked();
    const reasonOf = async (more: Partial<CommandOf<'pr.open'>> = {}): Promise<unknown> =>
      (await open(more)).error?.details?.['reason'];
    expect(await reasonOf({ branch: 'makima/fix-it.none' })).toBe('ref_missing');
    await asAgent(place.repo, 'remote', 'set-url', 'origin', 'https://elsewhere.example/ada/shop');
    expect(await reasonOf()).toBe('other_forge');
    await asAgent(place.repo, 'remote', 'set-url', 'origin', `${forge.url}/a/b/c`);
    expect(await reasonOf()).toBe('other_forge');
    await asAgent(place.repo, 'remote', 'remove', 'origin');
    expect(await reasonOf()).toBe('no_remote');
    await writeFile(join(daemon.home, 'github-token'), '');
    expect(await reasonOf()).toBe('token_unusable');
    expect(github.asked).toEqual([]);
  });
});

/** As it stands at the remote when it is asked. */
function headAt(remote: string, branch: string): string | null {
  const args = ['-C', remote, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}`];
  const { stdout } = spawnSync('git', args, { encoding: 'utf8' });
  return stdout.trim() || null;
}
