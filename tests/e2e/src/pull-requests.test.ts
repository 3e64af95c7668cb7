// Pull requests through the whole of makima: a supervisor proposes its branch at a forge that runs here.
// Why: a token, a person's leave, a machine and a forge come together nowhere else.
// Law: the forge speaks GitHub's REST and git over https; the token comes to rest in its file alone.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGitHub, type FakeGitHub } from '@makima/daemon/forge/testing/github';
import { startGitServer, type GitServer } from '@makima/daemon/forge/testing/git-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { document, startContract, type Started, type Step } from './contract.ts';
import { expectInvariants, inOrder, openHouse, type House } from './house.ts';
import { git, makeRepository } from './repository.ts';
import { placesOf } from './secrets.ts';

const token = 'ghp_e2e_0123456789abcdefghij';
const scratch = mkdtempSync(join(tmpdir(), 'makima-pr-'));

let house: House;
let forge: GitServer;
let github: FakeGitHub;
let remote: string;
beforeAll(async () => {
  const tokenFile = join(scratch, 'token');
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
  forge = await startGitServer(scratch, token);
  remote = forge.repository('ada/shop');
  github = await startGitHub({ token, repository: 'ada/shop', headOf: headAt });
  house = await openHouse({
    env: {
      LOG_LEVEL: 'trace',
      MAKIMA_COMPLETION_GRACE_PERIOD_MINUTES: '0',
      MAKIMA_ALLOW_HOSTS: '127.0.0.1',
      MAKIMA_GITHUB_HOST: '127.0.0.1',
      MAKIMA_GITHUB_API_URL: github.url,
      MAKIMA_GITHUB_TOKEN_FILE: tokenFile,
      MAKIMA_FORGE_CA_FILE: forge.caFile,
    },
  });
});
afterAll(async () => {
  await house.close();
  await Promise.all([forge.stop(), github.stop()]);
  rmSync(scratch, { recursive: true, force: true });
});

function headAt(branch: string): string | null {
  const args = ['-C', remote, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}`];
  return spawnSync('git', args, { encoding: 'utf8' }).stdout.trim() || null;
}

/** A person's checkout of the repository at the forge. */
function checkout(name: string): string {
  const dir = makeRepository(join(scratch, name));
  git(dir, 'remote', 'add', 'origin', `${forge.url}/ada/shop.git`);
  return dir;
}

const propose = (slug: string, title: string): Step => ({
  tool: { name: 'makima_pr', args: { branch: `makima/${slug}`, title, body: 'See the plan.' } },
  as: 'pr',
});
const finish: Step[] = [
  { advance: 'execute' },
  { deliverable: { id: 'implementation', evidence: [{ file: 'PLAN.md' }] } },
];

describe('a supervisor', () => {
  inOrder(() => house);

  it('with its owner’s setting proposes the branch, once', async () => {
    const job = await startContract(
      house,
      [
        ...document('plan-document', 'PLAN.md'),
        propose('allowed', 'Allowed'),
        propose('allowed', 'Allowed'),
        { say: 'it is #${pr.prNumber} at ${pr.prUrl}' },
        ...finish,
      ],
      { name: 'allowed', repo: checkout('allowed'), allowPullRequests: true },
    );
    const { data } = await job.story.until('pr.opened');
    expect(data).toMatchObject({ prNumber: 7, branch: 'makima/allowed', baseBranch: 'main' });
    expect(await job.story.end()).toBe('completed');
    expect(github.pulls).toMatchObject([
      { head: 'makima/allowed', title: 'Allowed', base: 'main' },
    ]);
    expect(
      execFileSync('git', ['-C', remote, 'show', 'makima/allowed:PLAN.md'], { encoding: 'utf8' }),
    ).toContain('plan-document');
    job.story.close();
  });

  it('without it waits for a person, in a question that no agent can answer', async () => {
    const job = await startContract(
      house,
      [
        ...document('plan-document', 'PLAN.md'),
        propose('asked', 'Asked'),
        { say: 'opened: ${pr.success}' },
        ...finish,
      ],
      { name: 'asked', repo: checkout('asked') },
    );
    const asked = await job.story.until('question.asked');
    expect(asked.data).toMatchObject({ questionType: 'permission' });
    expect(headAt('makima/asked')).toBeNull();
    await answered(job, String(asked.data['questionId']), 'Allow');
    expect((await job.story.until('pr.opened')).data).toMatchObject({ prNumber: 8 });
    expect(await job.story.end()).toBe('completed');
    job.story.close();
  });

  it('of a local contract pushes nothing, and goes on', async () => {
    const before = forge.requests.length;
    const job = await startContract(
      house,
      [
        ...document('plan-document', 'PLAN.md'),
        { ...(propose('local', 'Local') as object), allow_failure: true },
        ...finish,
      ],
      { name: 'local', repo: checkout('local'), localOnly: true, allowPullRequests: true },
    );
    expect(await job.story.end()).toBe('completed');
    expect([headAt('makima/local'), github.pulls.length]).toEqual([null, 2]);
    expect(forge.requests).toHaveLength(before);
    job.story.close();
    await expectInvariants(house);
  });

  it('has left the token nowhere', async () => {
    expect(await placesOf(house, [token])).toEqual([]);
  });
});

async function answered(job: Started, id: string, response: string): Promise<void> {
  await house.client.call('answerQuestion', { params: { id }, body: { response } });
  await job.story.until('question.answered', ({ data }) => data['questionId'] === id);
}
