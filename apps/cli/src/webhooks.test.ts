/** Webhooks from the command line: the real program against a server made from the descriptions. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  startDescribedServer,
  type DescribedServer,
  type Handlers,
} from '@makima/client/testing/described-server';
import {
  sampleContract,
  sampleDelivery,
  sampleId,
  sampleWebhook,
} from '@makima/client/testing/samples';
import { CliStage } from './testing/cli.ts';

const stage = new CliStage();
let server: DescribedServer;
afterEach(() => server.close());
afterAll(() => stage.remove());

async function serve(handlers: Handlers): Promise<void> {
  server = await startDescribedServer(handlers);
  stage.url = server.url;
}
const sent = () => server.received.at(-1);
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const hooks = [sampleWebhook(1, { name: 'ops' }), sampleWebhook(2, { name: 'phone' })];
const withHooks: Handlers = { listWebhooks: () => ({ items: hooks }) };

describe('webhooks create', () => {
  const creating: Handlers = {
    createWebhook: ({ body }) => ({
      webhook: sampleWebhook(1, { kind: body.kind }),
      secret: body.kind === 'webhook' ? secret : null,
    }),
    listContracts: () => ({ items: [sampleContract(1, { slug: 'fix-login' })], nextCursor: null }),
  };
  const url = 'https://hooks.example.com/';

  it('prints the secret and nothing else on stdout', async () => {
    await serve(creating);
    const { code, stdout, stderr } = await stage.run(['webhooks', 'create', url]);
    expect([code, stdout]).toEqual([0, `${secret}\n`]);
    expect(stderr).toContain('not shown again');
    expect(sent()?.body).toEqual({ kind: 'webhook', url, contractIds: [] });
  });

  it('takes types, contracts and a name', async () => {
    await serve(creating);
    const choices = ['--events', 'contract.failed', '--events', 'task.merged', '--name', 'ops'];
    await stage.run(['webhooks', 'create', url, ...choices, '--contract', 'fix-login']);
    expect(sent()?.body).toMatchObject({
      name: 'ops',
      eventTypes: ['contract.failed', 'task.merged'],
      contractIds: [sampleId('contract', 1)],
    });
    await stage.run(['webhooks', 'create', url, '--events', 'all']);
    expect(sent()?.body).toMatchObject({ eventTypes: ['*'] });
  });

  it('of ntfy takes its token from stdin only', async () => {
    await serve(creating);
    const args = ['webhooks', 'create', url, '--ntfy', 'alerts', '--token-stdin'];
    const { code, stdout } = await stage.run(args, { stdin: 'tk_abc\n' });
    expect([code, stdout]).toEqual([0, `${sampleId('other', 1)}\n`]);
    expect(sent()?.body).toMatchObject({ kind: 'ntfy', topic: 'alerts', token: 'tk_abc' });
    const wrong = await stage.run(['webhooks', 'create', url, '--token-stdin'], { stdin: 'x' });
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('add --ntfy')]);
  });
});

describe('webhooks', () => {
  it('are listed, and one that fails says so', async () => {
    await serve({
      listWebhooks: () => ({ items: [sampleWebhook(1, { failures: 3, pending: 7 })] }),
    });
    const { stdout } = await stage.run(['webhooks', 'list']);
    expect(stdout.trimEnd().split('\t')).toEqual([
      sampleId('other', 1),
      'hook-1',
      'webhook',
      'active',
      '7',
      '-',
      'question.asked,contract.failed',
    ]);
    await server.close();
    await serve({ listWebhooks: () => ({ items: [] }) });
    expect((await stage.run(['webhooks', 'list'])).stderr).toContain('questions wait silently');
  });

  it('are shown by name, with what brings them back', async () => {
    const dead = sampleWebhook(1, {
      name: 'ops',
      status: 'quarantined',
      statusReason: 'it answered 410',
    });
    await serve({ listWebhooks: () => ({ items: [dead] }) });
    const { stdout, stderr } = await stage.run(['webhooks', 'show', 'ops']);
    expect(stdout).toContain('why\tit answered 410');
    expect(stderr).toContain(`makima webhooks enable ${dead.id}`);
  });

  it('that are not there, or may be several, are not guessed', async () => {
    await serve({
      listWebhooks: () => ({
        items: [sampleWebhook(1, { name: 'same' }), sampleWebhook(2, { name: 'same' })],
      }),
    });
    expect((await stage.run(['webhooks', 'show', 'nobody'])).code).toBe(7);
    const { code, stderr } = await stage.run(['webhooks', 'show', 'same']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('may mean 2 webhooks')]);
  });

  it('are enabled, disabled and deleted', async () => {
    await serve({
      ...withHooks,
      patchWebhook: ({ body }) =>
        sampleWebhook(1, { name: 'ops', status: body.enabled === true ? 'active' : 'disabled' }),
      deleteWebhook: ({ params }) => ({ id: params.id, deleted: true }),
    });
    expect((await stage.run(['webhooks', 'enable', 'ops'])).stdout).toContain('from now on');
    expect(sent()?.body).toEqual({ enabled: true });
    await stage.run(['webhooks', 'disable', 'ops']);
    expect(sent()?.body).toEqual({ enabled: false });
    expect((await stage.run(['webhooks', 'delete', 'ops'])).code).toBe(2);
    const { code, stdout } = await stage.run(['webhooks', 'delete', 'ops', '--yes']);
    expect([code, stdout]).toEqual([0, 'webhook ops is deleted\n']);
  });

  it('are given a new secret', async () => {
    await serve({
      ...withHooks,
      rotateWebhookSecret: () => ({ webhook: sampleWebhook(1), secret }),
    });
    const { stdout, stderr } = await stage.run(['webhooks', 'rotate', 'ops', '--overlap', '2h']);
    expect(stdout).toBe(`${secret}\n`);
    expect(stderr).toContain('signs too for 2h 00m');
    expect(sent()?.body).toEqual({ overlapSeconds: 7_200 });
  });
});

describe('webhooks test', () => {
  it.each([
    [sampleDelivery(1), 0, 'ops took it: it answered 200 after 12ms'],
    [
      sampleDelivery(1, { state: 'failed', lastStatus: 500 }),
      1,
      'ops did not take it: it answered 500 after 12ms',
    ],
    [
      sampleDelivery(1, { state: 'failed', lastStatus: null, lastError: 'ECONNREFUSED' }),
      1,
      'ops did not take it: ECONNREFUSED after 12ms',
    ],
  ])('waits for how it went: %j', async (outcome, code, words) => {
    let looks = 0;
    const waiting = sampleDelivery(1, { state: 'pending' });
    const detail = { url: 'https://x.example.com/', body: '{}', tried: [] };
    await serve({
      ...withHooks,
      testWebhook: () => waiting,
      getDelivery: () => ({ ...((looks += 1) < 2 ? waiting : outcome), ...detail }),
    });
    const ran = await stage.run(['webhooks', 'test', 'ops']);
    expect([ran.code, ran.stdout]).toEqual([code, `${words}\n`]);
    expect(looks).toBe(2);
  });
});

describe('webhooks deliveries', () => {
  it('are a line each in a pipe, by state if asked', async () => {
    const failed = sampleDelivery(1, {
      state: 'failed',
      lastStatus: null,
      lastError: 'a\u001b[2Jb',
    });
    await serve({
      ...withHooks,
      listDeliveries: () => ({ items: [failed], nextCursor: null }),
    });
    const { stdout } = await stage.run(['webhooks', 'deliveries', 'ops', '--state', 'failed']);
    expect(stdout.trimEnd().split('\t')).toEqual([
      failed.id,
      'question.asked',
      'failed',
      '1',
      'ab',
      failed.createdAt,
      '-',
    ]);
    expect(sent()?.query).toEqual({ limit: 50, state: 'failed' });
    const wrong = await stage.run(['webhooks', 'deliveries', 'ops', '--state', 'lost']);
    expect(wrong.code).toBe(2);
  });

  it('one by one show every try', async () => {
    const startedAt = '2026-03-01T10:00:00.000Z';
    const unknown = { endedAt: null, durationMs: null, status: null, answer: null, error: null };
    await serve({
      ...withHooks,
      getDelivery: () => ({
        ...sampleDelivery(1),
        url: 'https://hooks.example.com/',
        body: '{"type":"question.asked"}',
        tried: [
          { attempt: 1, startedAt, ...unknown },
          { ...unknown, attempt: 2, startedAt, endedAt: startedAt, status: 200, answer: 'ok' },
        ],
      }),
    });
    const { stdout } = await stage.run(['webhooks', 'deliveries', 'ops', sampleId('other', 101)]);
    expect(stdout).toContain('message\tmsg_1');
    expect(stdout).toContain(`1\t${startedAt}\t-\t-\tnothing is known`);
    expect(stdout).toContain(`2\t${startedAt}\t200\t-\tok`);
  });
});

describe('webhooks replay', () => {
  it('is of one delivery, or since a time', async () => {
    await serve({
      ...withHooks,
      replayDelivery: () => sampleDelivery(1, { state: 'pending' }),
      replayWebhook: ({ params }) => ({ id: params.id, deliveries: 4 }),
    });
    const one = await stage.run(['webhooks', 'replay', 'ops', sampleId('other', 101)]);
    expect(one.stdout).toContain('msg_1');
    const since = await stage.run(['webhooks', 'replay', 'ops', '--since', '2026-03-01T10:00:00Z']);
    expect(since.stdout).toBe('ops is told of 4 events\n');
    expect(sent()?.body).toEqual({ since: '2026-03-01T10:00:00.000Z' });
    await stage.run(['webhooks', 'replay', 'ops', '--since', '2h', '--until', '1h']);
    const body = sent()?.body as unknown as { since: string; until: string };
    expect(Date.parse(body.until) - Date.parse(body.since)).toBeCloseTo(3_600_000, -4);
  });

  it.each([
    [[], 'say what'],
    [[sampleId('other', 101), '--since', '2h'], 'say what'],
    [['--since', 'yesterday-ish'], 'is no time'],
  ])('with %j is wrong usage', async (args, words) => {
    await serve(withHooks);
    const { code, stderr } = await stage.run(['webhooks', 'replay', 'ops', ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(words)]);
  });
});
