/** Commands of questions, tasks, machines, keys and events: what they print and send. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  startDescribedServer,
  type DescribedServer,
  type Handlers,
} from '@makima/client/testing/described-server';
import {
  sampleContract,
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

const contracts = [sampleContract(1, { slug: 'fix-login' }), sampleContract(2)];
const withContracts: Handlers = {
  listContracts: () => ({ items: contracts, nextCursor: null }),
};

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
      '',
      '',
      `makima answer ${question.id} <answer>`,
    ]);
  });

  it.each([
    [['allow'], 'allow'],
    [['1'], 'Allow'],
    [['2'], 'Deny'],
    [['2', 'not', 'on', 'a', 'Friday'], 'Deny: not on a Friday'],
    [['deny', 'use', 'the', 'other'], 'deny use the other'],
    [['never'], 'never'],
  ])('that ask to use a tool are answered by %j with %s', async (words, response) => {
    await serve(withQuestions({ questionType: 'permission', choices: ['Allow', 'Deny'] }));
    expect((await stage.run(['answer', id, ...words])).code).toBe(0);
    expect(sent()).toEqual({ response });
  });

  it.each([
    [['1', 'but', 'carefully'], 'permission is given without words'],
    [['3'], 'there is no choice 3'],
    [[], 'the answer is missing'],
    [['1', '--stop-countdown'], 'an answer ends the countdown too'],
  ])('that ask to use a tool refuse %j', async (words, message) => {
    await serve(withQuestions({ questionType: 'permission', choices: ['Allow', 'Deny'] }));
    const { code, stderr } = await stage.run(['answer', id, ...words]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  it('with a default can be told to wait', async () => {
    const given = { answer: 'Google', at: null };
    await serve({
      ...withQuestions({ default: { ...given, at: '2026-03-01T10:05:00.000Z' } }),
      holdDefault: () => sampleQuestion(1, { default: given }),
    });
    const { code, stdout } = await stage.run(['answer', id, '--stop-countdown']);
    expect([code, stdout]).toEqual([0, 'it waits for a person now\n']);
    expect(server.received.at(-1)).toMatchObject({
      id: 'holdDefault',
      params: { id: sampleId('question', 1) },
    });
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

  it('of one contract are listed by the shortest words that people try', async () => {
    await serve(withTasks);
    const { stdout } = await stage.run(['tasks', 'list', sampleId('contract', 1)]);
    expect(stdout).toContain('write-tests');
    for (const words of [
      ['tasks', sampleId('contract', 1)],
      ['task', sampleId('contract', 1)],
    ])
      expect(await stage.run(words)).toMatchObject({ code: 0, stdout });
    expect((await stage.run(['tasks'])).stdout).toContain('write-tests');
    expect(await stage.run(['tasks', 'nonsense'])).toMatchObject({ code: 7, stdout: '' });
  });

  it('get messages and are cancelled', async () => {
    await serve({
      ...withTasks,
      messageTask: ({ params }) => ({
        messageId: sampleId('other', 5),
        taskId: params.id,
        state: 'queued',
        mode: 'steer',
        attempt: 1,
        sentAt: '2026-01-01T00:00:00.000Z',
        deliveredAt: null,
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
      `export MAKIMA_API_URL=${server.url} MAKIMA_GATEWAY_URL=ws://127.0.0.1:7401/daemon; ` +
        `./makima daemon join --token one-time-300 --name 'build box' && ./makima daemon start\n`,
    );
    expect(stderr).toContain('--url');
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
      'everything that plan has to deliver is there',
    ]);
    const json = await stage.run(['events', '-o', 'json']);
    const page = endpoints.listEvents.response.parse(JSON.parse(json.stdout));
    expect([page.items.length, page.cursor]).toEqual([3, 'c3']);
  });
});
