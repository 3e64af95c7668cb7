/** What commands print and send, against a server made from the endpoint descriptions. */
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
  sampleEvent,
  sampleId,
  sampleQuestion,
  sampleTask,
} from '@makima/client/testing/samples';
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
      { limit: 200, status: 'active', waiting: true },
      { limit: 200, status: 'active', waiting: true, after: 'p2' },
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
    const cancel = await stage.run(['contracts', 'cancel', 'fix-login', '-y']);
    expect(cancel.code).toBe(0);
    const resume = await stage.run(['contracts', 'resume', 'fix-login']);
    expect(resume.code).toBe(6);
    expect(resume.stderr).toContain('why   it is over');
    expect(server.received.flatMap((r) => (r.id === 'changeStatus' ? [r.body] : []))).toEqual([
      { targetStatus: 'paused', reason: 'demo' },
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
    const { code, stdout } = await stage.run(['contracts', 'advance', last.id, '--confirm']);
    expect([code, stdout]).toEqual([0, 'the completion of contract-1 is confirmed\n']);
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
    const { code, stdout } = await stage.run(['run', goal, ...args]);
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
      repositories: [{ localPath: shop, isPrimary: true }],
      start: true,
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

describe('questions', () => {
  const withQuestions = (changes = {}): Handlers => ({
    listQuestions: ({ query }) => ({
      items: query.status === 'open' ? [sampleQuestion(1, changes), sampleQuestion(2)] : [],
      nextCursor: null,
    }),
    answerQuestion: ({ body }) => sampleQuestion(1, { response: String(body.response) }),
  });
  const id = sampleId('question', 1).slice(0, 14);
  const sent = (): unknown => server.received.at(-1)?.body;

  it.each([
    [['2'], 'GitHub'],
    [['github'], 'github'],
    [['use', 'both', '2', 'of', 'them'], 'use both 2 of them'],
    [['2', '--text'], '2'],
  ])('are answered by %j with %s', async (words, response) => {
    await serve(withQuestions());
    const { code } = await stage.run(['answer', id, ...words]);
    expect([code, sent()]).toEqual([0, { response }]);
  });

  it('may have numbers as choices', async () => {
    await serve(withQuestions({ choices: ['20', '10', '2'] }));
    await stage.run(['answer', id, '2']);
    expect(sent()).toEqual({ response: '2' });
    await stage.run(['answer', id, '1']);
    expect(sent()).toEqual({ response: '20' });
  });

  it('take several choices where they allow it', async () => {
    await serve(withQuestions({ multiSelect: true }));
    await stage.run(['answer', id, '1,2']);
    expect(sent()).toEqual({ response: ['Google', 'GitHub'] });
  });

  it.each([
    [['3'], 'there is no choice 3'],
    [['1', '2'], 'takes one choice'],
  ])('refuse %j', async (words, message) => {
    await serve(withQuestions());
    const { code, stderr } = await stage.run(['answer', id, ...words]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  it('of a contract that has several must be named', async () => {
    await serve(withQuestions());
    const { code, stderr } = await stage.run(['answer', 'contract-1', '1']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('may mean 2 questions')]);
  });

  it('stand in the inbox, a line each in a pipe', async () => {
    const question = sampleQuestion(1, { question: 'Which\u001b[2J one?\nReally?' });
    await serve({
      inbox: () => ({
        items: [
          {
            kind: 'question',
            rank: 0,
            since: question.askedAt,
            contractId: question.contractId,
            contractSlug: 'fix-login',
            contractName: 'Fix login',
            title: question.question,
            question,
            act: `makima answer ${question.id} <answer>`,
          },
        ],
      }),
    });
    const { stdout } = await stage.run(['inbox']);
    expect(stdout.trimEnd().split('\t')).toEqual([
      'question',
      question.askedAt,
      'fix-login',
      question.id,
      'Which one? Really?',
      'Google | GitHub',
      `makima answer ${question.id} <answer>`,
    ]);
  });
});

describe('tasks', () => {
  const tasks = [sampleTask(1, { name: 'lead' }), sampleTask(2, { name: 'write-tests', depth: 1 })];
  const withTasks: Handlers = {
    ...withContracts,
    listContractTasks: ({ params }) => ({ items: params.id === contracts[0]?.id ? tasks : [] }),
    getTask: ({ params }) => ({
      ...(tasks.find((t) => t.id === params.id) ?? sampleTask(9)),
      attempts: [],
    }),
  };

  it.each(['write-tests', 'fix-login/write', 'fix-login/0199a5b2-0002', sampleId('task', 2)])(
    'are found by %s',
    async (typed) => {
      await serve(withTasks);
      const { code, stdout } = await stage.run(['tasks', 'show', typed]);
      expect([code, stdout]).toEqual([0, expect.stringContaining('name\twrite-tests\n')]);
    },
  );

  it('are listed for all that goes on', async () => {
    await serve(withTasks);
    const { stdout } = await stage.run(['tasks', 'list']);
    expect(stdout.split('\n').map((row) => row.split('\t')[2])).toEqual([
      'lead',
      'write-tests',
      undefined,
    ]);
  });

  it('get messages and are cancelled', async () => {
    await serve({
      ...withTasks,
      messageTask: ({ params }) => ({
        messageId: sampleId('other', 5),
        taskId: params.id,
        state: 'queued',
      }),
      cancelTask: () => sampleTask(2, { name: 'write-tests', status: 'cancelled' }),
    });
    const args = ['tasks', 'message', 'write-tests', '--mode', 'steer', 'use', 'vitest'];
    expect((await stage.run(args)).code).toBe(0);
    expect(server.received.at(-1)?.body).toEqual({ message: 'use vitest', mode: 'steer' });
    const cancelled = await stage.run(['tasks', 'cancel', 'write-tests', '--yes']);
    expect(cancelled.stdout).toBe('write-tests is cancelled\n');
  });

  it('print their output once, over pages, until they end', async () => {
    const entry = (seq: number, content: string, isError = false) => ({
      seq,
      attempt: 1,
      messageType: 'text',
      content,
      toolName: null,
      toolInput: null,
      isError,
      costUsd: null,
      durationMs: null,
      isPartial: false,
      at: '2026-03-01T10:00:00.000Z',
    });
    const written = [entry(1, 'one'), entry(2, 'two\u001b]0;x\u0007'), entry(3, 'bad', true)];
    let looks = 0;
    await serve({
      ...withTasks,
      getTask: () => {
        looks += 1;
        const status = looks < 3 ? 'running' : 'failed';
        return { ...sampleTask(2, { status }), attempts: [] };
      },
      listTaskOutput: ({ query }) => {
        const from = Number(query.after ?? 0);
        const there = written.slice(0, Math.min(looks + 1, 3)).slice(from, from + 1);
        const more = from + 1 < Math.min(looks + 1, 3);
        return { items: there, nextCursor: more ? String(from + 1) : null };
      },
    });
    const { code, stdout } = await stage.run(['tasks', 'output', sampleId('task', 2), '-f']);
    expect([code, stdout]).toEqual([5, 'one\ntwo\nx bad\n']);
  });
});

describe('why', () => {
  const why = (kind: 'contract' | 'task', id: string) => ({
    id,
    kind,
    status: 'pending',
    moving: false,
    summary: 'waits for a machine',
    blockers: [
      {
        kind: 'no_daemon',
        reason: 'no machine is connected',
        since: null,
        whoCanAct: 'person',
        act: './makima up',
        taskId: null,
        questionId: null,
      },
    ],
  });

  it('asks about whatever has the id', async () => {
    await serve({
      whyContract: () => {
        throw new MakimaError('CONTRACT_NOT_FOUND', 'no');
      },
      whyTask: ({ params }) => why('task', params.id),
    });
    const { code, stdout, stderr } = await stage.run(['why', sampleId('task', 1)]);
    expect([code, stderr]).toEqual([0, 'waits for a machine\n']);
    expect(stdout).toBe('no_daemon\t-\tperson\tno machine is connected\t./makima up\n');
  });
});

describe('machines and keys', () => {
  it('enrol prints one line to run there', async () => {
    await serve({
      createEnrolment: ({ body }) => ({
        token: `one-time-${body.expiresInSeconds}`,
        expiresAt: '2026-03-01T10:15:00.000Z',
      }),
    });
    const args = ['daemon', 'enrol', '--name', 'build box', '--expires', '5m'];
    const { code, stdout, stderr } = await stage.run(args);
    expect(code).toBe(0);
    expect(stdout).toBe(
      `export MAKIMA_API_URL=${server.url} MAKIMA_GATEWAY_URL=ws://127.0.0.1:7410/daemon; ` +
        `./makima daemon join --token one-time-300 --name 'build box' && ./makima daemon start\n`,
    );
    expect(stderr).toContain('--url');
  });

  it('the daemon is a child with our arguments and its exit code', async () => {
    await serve({});
    const { code, stderr } = await stage.run(['daemon', 'join', '--api', 'http://127.0.0.1:9']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('--token')]);
  });

  it('a key is shown once and revoked by its name', async () => {
    const info = {
      id: sampleId('other', 7),
      kind: 'user' as const,
      name: 'ci',
      scopes: ['read' as const],
      createdAt: '2026-03-01T10:00:00.000Z',
      expiresAt: null,
      lastUsedAt: null,
      revokedAt: null,
    };
    await serve({
      createKey: () => ({ key: 'mk_user_secret', info }),
      listKeys: () => ({ items: [info] }),
      revokeKey: () => info,
    });
    const created = await stage.run(['keys', 'create', 'ci', '--scope', 'read']);
    expect([created.code, created.stdout]).toEqual([0, 'mk_user_secret\n']);
    expect(server.received[0]?.body).toEqual({ name: 'ci', scopes: ['read'] });
    const revoked = await stage.run(['keys', 'revoke', 'ci', '--yes']);
    expect([revoked.code, server.received.at(-1)?.params]).toEqual([0, { id: info.id }]);
  });
});

describe('events', () => {
  it('are columns in a pipe and a page in JSON', async () => {
    const events = [1, 2, 3].map((n) =>
      sampleEvent(n, 'contract.ready', { data: { phase: 'plan' } }),
    );
    await serve({ listEvents: () => ({ items: events, nextCursor: null, cursor: 'c3' }) });
    const { stdout } = await stage.run(['events', '--tail', '2']);
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(stdout.split('\n')[0]?.split('\t').slice(2)).toEqual([
      'contract.ready',
      '-',
      'makima',
      'everything that plan owes is there',
    ]);
    const json = await stage.run(['events', '-o', 'json']);
    const page = endpoints.listEvents.response.parse(JSON.parse(json.stdout));
    expect([page.items.length, page.cursor]).toEqual([3, 'c3']);
  });
});
