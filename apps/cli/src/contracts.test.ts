/** Commands of contracts: what they print and send. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  startDescribedServer,
  type DescribedServer,
  type Handlers,
} from '@makima/client/testing/described-server';
import {
  sampleContract,
  sampleDetail,
  sampleId,
  sampleQuestion,
} from '@makima/client/testing/samples';
import type { Repository } from '@makima/contracts/entity/contract';
import { endpoints } from '@makima/contracts/http/all';
import { MakimaError } from '@makima/domain/error';
import { CliStage } from './testing/cli.ts';

const stage = new CliStage();
let server: DescribedServer;
afterEach(async () => {
  await server.close();
  stage.url = undefined;
});
afterAll(() => stage.remove());

async function serve(handlers: Handlers): Promise<void> {
  server = await startDescribedServer(handlers);
  stage.url = server.url;
}

const contracts = [
  sampleContract(1, { slug: 'fix-login', attention: 'needs_you', openQuestions: 1 }),
  sampleContract(2, { slug: 'add-csv', description: 'evil \u001b]0;x\u0007 \u001b[31mred' }),
];
const withContracts: Handlers = {
  listContracts: () => ({ items: contracts, nextCursor: null }),
  getContract: ({ params }) => {
    const found = contracts.find((c) => c.id === params.id);
    if (!found) throw new MakimaError('CONTRACT_NOT_FOUND', 'no such contract');
    return sampleDetail(1, found);
  },
};

describe('a list', () => {
  it('is tab-separated, full and without escapes in a pipe', async () => {
    await serve(withContracts);
    const { code, stdout, stderr } = await stage.run(['contracts', 'list']);
    expect([code, stderr]).toEqual([0, '']);
    const rows = stdout.trimEnd().split('\n');
    expect(rows.map((row) => row.split('\t').slice(0, 4))).toEqual([
      [contracts[0]?.id, 'fix-login', 'active', 'needs you'],
      [contracts[1]?.id, 'add-csv', 'active', 'running'],
    ]);
    expect(stdout).not.toContain('\u001b');
  });

  it('says where to look when a person is needed and nothing was asked', async () => {
    const item = sampleContract(1, { attention: 'needs_you', openQuestions: 0 });
    await serve({ listContracts: () => ({ items: [item], nextCursor: null }) });
    expect((await stage.run(['contracts', 'list'])).stdout).toContain(
      '\tneeds you\tplan\tsee inbox\t',
    );
  });

  it('in JSON is what the API describes', async () => {
    await serve(withContracts);
    const { stdout } = await stage.run(['contracts', 'list', '-o', 'json']);
    const page = endpoints.listContracts.response.parse(JSON.parse(stdout));
    expect(page).toEqual({ items: contracts, nextCursor: null });
  });

  it('is JSON for an agent unless it asks otherwise', async () => {
    await serve(withContracts);
    const agent = { env: { CLAUDECODE: '1' } };
    expect((await stage.run(['contracts', 'list'], agent)).stdout).toMatch(/^\{"items"/);
    const table = await stage.run(['contracts', 'list', '-o', 'table'], agent);
    expect(table.stdout).toContain('\tfix-login\t');
    const no = { env: { CLAUDECODE: '1', MAKIMA_AGENT: '0' } };
    expect((await stage.run(['contracts', 'list'], no)).stdout).toContain('\tfix-login\t');
  });

  it('says what to do when there is nothing, and prints nothing', async () => {
    await serve({ listContracts: () => ({ items: [], nextCursor: null }) });
    const { code, stdout, stderr } = await stage.run(['contracts', 'list']);
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain('makima run');
  });

  it('passes filters on and walks all pages with --all', async () => {
    await serve({
      listContracts: ({ query }) => ({
        items: [sampleContract(query.after === 'p2' ? 2 : 1)],
        nextCursor: query.after === 'p2' ? null : 'p2',
      }),
    });
    const args = ['contracts', 'list', '--all', '--waiting', '--status', 'active', '-o', 'json'];
    const { stdout } = await stage.run(args);
    expect((JSON.parse(stdout) as { items: unknown[] }).items).toHaveLength(2);
    expect(server.received.map((r) => r.query)).toEqual([
      { limit: 200, status: ['active'], waiting: true },
      { limit: 200, status: ['active'], waiting: true, after: 'p2' },
    ]);
  });

  it.each([
    ['1', '\u001b['],
    ['0', undefined],
  ])('has colours in a pipe only when FORCE_COLOR=%s says so', async (FORCE_COLOR, found) => {
    await serve(withContracts);
    const { stdout } = await stage.run(['contracts', 'list'], { env: { FORCE_COLOR } });
    expect(stdout.includes('\u001b[')).toBe(found !== undefined);
  });
});

describe('a contract', () => {
  it.each([['fix-login'], ['FIX-LOGIN'], ['fix-l'], [sampleId('contract', 1).slice(0, 14)]])(
    'is found by %s',
    async (typed) => {
      await serve(withContracts);
      const { code, stdout } = await stage.run(['contracts', 'show', typed]);
      expect(code).toBe(0);
      expect(stdout).toContain(`id\t${sampleId('contract', 1)}`);
    },
  );

  it('that may be several is a usage error that lists them', async () => {
    await serve(withContracts);
    const { code, stderr } = await stage.run(['contracts', 'show', '0199c0a1']);
    expect(code).toBe(2);
    expect(stderr).toContain("'0199c0a1' may mean 2 contracts");
    for (const { id, slug } of contracts) expect(stderr).toContain(`${id} ${slug}`);
  });

  it('that is not there exits 7', async () => {
    await serve(withContracts);
    const { code, stderr } = await stage.run(['contracts', 'show', 'nothing']);
    expect([code, stderr]).toEqual([7, expect.stringContaining('makima contracts list')]);
  });

  it('shows nothing that an agent could do to a terminal', async () => {
    await serve(withContracts);
    const { stdout } = await stage.run(['contracts', 'show', 'add-csv']);
    expect(stdout).toContain('goal\tevil red\n');
    expect(stdout).not.toContain('\u001b');
  });

  it('is left without its validator, after a yes', async () => {
    await serve({ ...withContracts, patchContract: () => sampleDetail(1, contracts[0]) });
    const unasked = await stage.run(['contracts', 'skip-validator', 'fix-login']);
    expect(unasked.code).not.toBe(0);
    const skip = await stage.run(['contracts', 'skip-validator', 'fix-login', '-y']);
    expect(skip.stdout).toMatch(/^phase \w+ of fix-login asks for no validator any more\n$/);
    expect(server.received.flatMap((r) => (r.id === 'patchContract' ? [r.body] : []))).toEqual([
      // Of the phase that the person said yes to: what moved on meanwhile is refused.
      { skipValidator: true, expectedVersion: sampleDetail(1, contracts[0]).version },
    ]);
  });

  it('is paused, resumed and cancelled by its status', async () => {
    await serve({
      ...withContracts,
      changeStatus: ({ body }) => ({
        success: body.targetStatus !== 'active',
        previousStatus: 'completed',
        newStatus: body.targetStatus,
        rejectionReason: body.targetStatus === 'active' ? 'it is over' : null,
      }),
    });
    const pause = await stage.run(['contracts', 'pause', 'fix-login', '--reason', 'demo']);
    expect(pause).toEqual({ code: 0, stdout: 'fix-login is paused\n', stderr: '' });
    const soon = await stage.run(['contracts', 'pause', 'fix-login', '--finish-turn', '10m']);
    expect(soon.stdout).toBe('fix-login is paused; agents end their turns\n');
    const cancel = await stage.run(['contracts', 'cancel', 'fix-login', '-y']);
    expect(cancel.code).toBe(0);
    const resume = await stage.run(['contracts', 'resume', 'fix-login']);
    expect(resume.code).toBe(6);
    expect(resume.stderr).toContain('why   it is over');
    expect(server.received.flatMap((r) => (r.id === 'changeStatus' ? [r.body] : []))).toEqual([
      { targetStatus: 'paused', reason: 'demo' },
      { targetStatus: 'paused', finishTurnSeconds: 600 },
      { targetStatus: 'failed', reason: 'cancelled' },
      { targetStatus: 'active' },
    ]);
  });
});

describe('advance', () => {
  const confirmation = (toPhase: string | null) =>
    sampleQuestion(1, {
      questionType: 'phase_confirmation',
      confirmation: {
        id: sampleId('other', 9),
        fromPhase: 'plan',
        toPhase,
        contractVersion: 3,
        deliverables: [],
      },
    });
  const moving = (toPhase: string | null): Handlers => ({
    ...withContracts,
    listQuestions: () => ({ items: [confirmation(toPhase)], nextCursor: null }),
    changePhase: ({ params, body }) => {
      if (body.confirmed !== true) {
        throw new MakimaError('PHASE_GUARD_REQUIRED', 'the phase guard needs a person', {
          details: {
            questionId: sampleId('question', 1),
            from: 'plan',
            deliverables: [
              {
                id: 'plan-document',
                completedBy: 'lead\u001b[2J',
                evidence: [{ kind: 'file', path: 'PLAN.md', commit: 'f7c09af58bab9b6e' }],
              },
            ],
          },
        });
      }
      const { phase } = body;
      return { success: true, contractId: params.id, previousPhase: 'plan', phase, version: 4 };
    },
  });

  it('stops at a guard and says who can go on', async () => {
    await serve(moving('execute'));
    const { code, stderr } = await stage.run(['contracts', 'advance', 'fix-login']);
    expect(code).toBe(6);
    expect(stderr).toContain('a person runs: makima contracts advance fix-login --confirm');
    expect(stderr).toContain('  why   from: plan\n');
    expect(stderr).toContain('plan-document by lead: file PLAN.md at f7c09af58b\n');
    expect(stderr).not.toContain(sampleId('question', 1));
  });

  it('confirms what it has just seen', async () => {
    await serve(moving('execute'));
    const { code, stdout } = await stage.run(['contracts', 'advance', 'fix-login', '--confirm']);
    expect([code, stdout]).toEqual([0, 'fix-login went from plan to execute\n']);
    expect(server.received.at(-1)?.body).toEqual({
      phase: 'execute',
      expectedVersion: 3,
      confirmed: true,
      confirmationId: sampleId('other', 9),
    });
  });

  it('confirms the end in the last phase', async () => {
    const last = sampleDetail(1, { phase: 'execute' });
    await serve({
      ...moving(null),
      getContract: () => last,
      answerQuestion: ({ body }) => sampleQuestion(1, { response: String(body.response) }),
    });
    expect((await stage.run(['contracts', 'advance', last.id])).code).toBe(6);
    expect(await stage.run(['contracts', 'advance', last.id, '--confirm'])).toEqual({
      code: 0,
      stdout: 'the completion of contract-1 is confirmed\n',
      stderr: '  makima watch contract-1\n',
    });
    expect(server.received.at(-1)?.body).toEqual({ response: 'confirm' });
  });
});

describe('create', () => {
  const shop = join(stage.home, 'shop');
  const handlers: Handlers = {
    createContract: ({ body }) => sampleDetail(1, { name: body.name }),
  };
  const makeShop = (): void => {
    mkdirSync(shop, { recursive: true });
    const git = (...args: string[]): void => {
      const who = ['-c', 'user.name=t', '-c', 'user.email=t@example.com'];
      execFileSync('git', [...who, '-C', shop, ...args], { stdio: 'ignore' });
    };
    if (existsSync(join(shop, '.git'))) return;
    git('init', '-b', 'main');
    writeFileSync(join(shop, 'file'), 'x');
    git('add', '-A');
    git('commit', '-m', 'first');
  };

  it('sends goal, repository and settings with a key of its own, and prints id and address', async () => {
    makeShop();
    await serve(handlers);
    const goal = 'fix the failing test\nand mind the edges';
    const args = ['--repo', './shop', '--type', 'specification', '--guard-phase', 'plan'];
    const { code, stdout } = await stage.run(['run', goal, ...args, '--park-after', '30']);
    expect(code).toBe(0);
    const id = sampleId('contract', 1);
    expect(stdout).toBe(`${id}\n${server.url}/api/v1/contracts/${id}\n`);
    expect(server.received[0]?.headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
    expect(server.received[0]?.body).toMatchObject({
      name: 'fix the failing test',
      description: goal,
      contractType: 'specification',
      agent: 'claude',
      phaseGuard: ['plan'],
      parkAfterSeconds: 30,
      repositories: [{ localPath: shop, isPrimary: true }],
      start: true,
    });
  });

  it('says when nobody can begin it', async () => {
    makeShop();
    const reason = 'No connected machine has the agent claude.';
    const [since, taskId, questionId] = [null, null, null];
    const blocker = { kind: 'no_daemon', reason, whoCanAct: 'person', act: 'makima daemon list' };
    await serve({
      ...handlers,
      whyContract: ({ params }) => ({
        id: params.id,
        kind: 'contract',
        status: 'active',
        moving: false,
        summary: reason,
        blockers: [{ ...blocker, since, taskId, questionId }],
      }),
    });
    const { code, stderr } = await stage.run(['run', 'goal', '--repo', './shop']);
    expect(code).toBe(0);
    expect(stderr).toContain(`! stands still: ${reason}\n  makima daemon list\n`);
  });

  it('trusts the repositories when asked to', async () => {
    makeShop();
    await serve(handlers);
    expect((await stage.run(['run', 'goal', '--repo', './shop', '--trust'])).code).toBe(0);
    expect(server.received[0]?.body).toMatchObject({
      repositories: [{ localPath: shop, trusted: true }],
    });
  });

  it('takes the goal from stdin and this folder as the repository', async () => {
    makeShop();
    await serve(handlers);
    const args = ['contracts', 'create', '-', '--no-start', '--no-guard', '-o', 'json'];
    const { code, stdout } = await stage.run(args, { cwd: shop, stdin: 'write more tests\n' });
    expect(code).toBe(0);
    endpoints.createContract.response.parse(JSON.parse(stdout));
    expect(server.received[0]?.body).toMatchObject({
      description: 'write more tests',
      phaseGuard: false,
      start: false,
      repositories: [{ localPath: shop }],
    });
  });

  it('refuses a folder without a repository before it asks the server', async () => {
    await serve(handlers);
    const { code, stderr } = await stage.run(['run', 'goal', '--repo', '.']);
    expect(code).toBe(2);
    expect(stderr).toContain(`${stage.home} is not a git repository\n  fix   git init`);
    expect(server.received).toEqual([]);
  });
});

describe('trust', () => {
  const repository = sampleDetail(1).repositories[0];
  const [one, two] = [
    { ...repository, name: 'shop', localPath: '/srv/shop' },
    { ...repository, id: sampleId('other', 9), name: 'docs', localPath: '/srv/docs' },
  ] as const as [Repository, Repository];
  const handlersFor = (...items: Repository[]): Handlers => ({
    ...withContracts,
    listRepositories: () => ({ items }),
    trustRepository: ({ params, body }) => ({
      ...(items.find(({ id }) => id === params.repositoryId) ?? one),
      trusted: body.trusted,
      trustedBy: body.trusted ? 'ada' : null,
    }),
  });
  const sent = () => server.received.filter(({ id }) => id === 'trustRepository');

  it('is given with a yes, and taken back without one', async () => {
    await serve(handlersFor(one));
    const refused = await stage.run(['contracts', 'trust', 'fix-login']);
    expect([refused.code, sent()]).toEqual([2, []]);
    expect(refused.stderr).toContain('--yes');
    const given = await stage.run(['contracts', 'trust', 'fix-login', '--yes']);
    expect(given.stdout).toBe('/srv/shop is trusted\n');
    const taken = await stage.run(['contracts', 'trust', 'fix-login', '--off']);
    expect(taken.stdout).toBe('/srv/shop is not trusted any more\n');
    expect(sent().map(({ body }) => body)).toEqual([{ trusted: true }, { trusted: false }]);
  });

  it('names the repository when there are several', async () => {
    await serve(handlersFor(one, two));
    const trust = (...more: string[]) =>
      stage.run(['contracts', 'trust', 'fix-login', '--yes', ...more]);
    expect((await trust()).code).toBe(2);
    expect((await trust('--repository', 'docs')).stdout).toBe('/srv/docs is trusted\n');
    expect((await trust('--repository', 'x')).code).toBe(2);
  });
});
