/** Commands of directives and orders: what they send and print. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  startDescribedServer,
  type DescribedServer,
  type Handlers,
} from '@makima/client/testing/described-server';
import {
  sampleDetail,
  sampleDirective,
  sampleOrder,
  sampleTask,
} from '@makima/client/testing/samples';
import { startToolServer } from '@makima/client/testing/tool-server';
import type { DirectiveDetail } from '@makima/contracts/entity/directive';
import { CliStage } from './testing/cli.ts';

const stage = new CliStage();
let server: DescribedServer;
const repository = join(stage.home, 'shop');
beforeAll(() => {
  mkdirSync(repository);
  const git = (...args: string[]) => execFileSync('git', ['-C', repository, ...args]);
  git('init', '-q', '-b', 'main');
  git('-c', 'user.name=t', '-c', 'user.email=t@t', 'commit', '-q', '--allow-empty', '-m', 'first');
});
afterEach(async () => {
  await server.close();
  stage.url = undefined;
});
afterAll(() => stage.remove());

async function serve(handlers: Handlers): Promise<void> {
  server = await startDescribedServer(handlers);
  stage.url = server.url;
}

const tidy = sampleDirective(1, { title: 'Keep it tidy', openOrders: 2 });
const fresh = sampleDirective(2, { title: 'Keep it fresh' });
const detail = (directive: typeof tidy): DirectiveDetail => ({
  ...directive,
  tasks: [sampleTask(1, { contractId: null, directiveId: directive.id })],
  contracts: [{ id: tidy.id, slug: 'drop-parser', name: 'n', status: 'active', phase: 'plan' }],
});
const orders = [
  sampleOrder(1, { title: 'Drop the parser', directiveId: tidy.id }),
  sampleOrder(2, { title: 'Raise zod', directiveId: fresh.id, status: 'dismissed' }),
];
/** What was sent, by endpoint. */
const sent: Record<string, unknown> = {};
const handlers: Handlers = {
  listDirectives: ({ query }) => {
    sent['listDirectives'] = query;
    return { items: [tidy, fresh], nextCursor: null };
  },
  getDirective: () => detail(tidy),
  createDirective: ({ body }) => {
    sent['createDirective'] = body;
    return detail(tidy);
  },
  patchDirective: ({ params, body }) => {
    sent['patchDirective'] = { ...params, ...body };
    return detail({ ...tidy, version: 2 });
  },
  startDirectiveTask: ({ params, body }) => {
    sent['startDirectiveTask'] = { ...params, ...body };
    return sampleTask(7, { contractId: null });
  },
  listOrders: ({ query }) => {
    sent['listOrders'] = query;
    return { items: orders, nextCursor: null };
  },
  acceptOrder: ({ params, body }) => {
    sent['acceptOrder'] = { ...params, ...body };
    return { order: orders[0] as never, contract: sampleDetail(1, { slug: 'drop-parser' }) };
  },
  dismissOrder: ({ params, body }) => {
    sent['dismissOrder'] = { ...params, ...body };
    return orders[1] as never;
  },
};

describe('directives', () => {
  it('are set with the folder that is named, and say what comes next', async () => {
    await serve(handlers);
    const { code, stdout, stderr } = await stage.run([
      'directives',
      'create',
      'no dead code',
      '--repo',
      repository,
      '--base',
      'main',
      '--mode',
      'manual',
      '--agent',
      'scripted',
      '--model',
      'm',
      '--no-start',
    ]);
    expect([code, stdout]).toEqual([0, `${tidy.id}\n`]);
    expect(stderr).toContain(`makima directives start ${tidy.id}`);
    expect(sent['createDirective']).toEqual({
      title: 'no dead code',
      goal: 'no dead code',
      localPath: repository,
      baseBranch: 'main',
      reconcileMode: 'manual',
      agent: 'scripted',
      model: 'm',
      start: false,
    });
    const from = await stage.run(
      ['directives', 'create', '-', '--repo', repository, '--title', 't', '-o', 'json'],
      { stdin: 'much\nto want' },
    );
    expect(JSON.parse(from.stdout)).toMatchObject({ id: tidy.id });
    expect(sent['createDirective']).toMatchObject({
      title: 't',
      goal: 'much\nto want',
      start: true,
    });
    expect((await stage.run(['directives', 'create', ' ', '--repo', repository])).code).toBe(2);
  });

  it('are listed and shown', async () => {
    await serve(handlers);
    const list = await stage.run(['directives', 'list', '--status', 'active']);
    expect(list.stdout.split('\n')[0]).toMatch(
      new RegExp(`^${tidy.id}\tKeep it tidy\tactive\tauto\t2 open`),
    );
    expect(sent['listDirectives']).toMatchObject({ status: 'active', limit: 50 });
    const shown = await stage.run(['directives', 'show', 'keep it t']);
    expect(shown.stdout).toContain('title\tKeep it tidy');
    expect(shown.stdout).toContain('orders\t2 open');
    expect((await stage.run(['directives', 'show', 'keep it'])).code).toBe(2);
    expect((await stage.run(['directives', 'show', 'nothing'])).stderr).toContain(
      'makima directives list',
    );
  });

  it('are changed by what is given only', async () => {
    await serve(handlers);
    const { code, stdout } = await stage.run([
      'directives',
      'set',
      'Keep it tidy',
      '--mode',
      'semi-auto',
      '--status',
      'archived',
      '--repo',
      'https://example.com/x.git',
    ]);
    expect([code, stdout]).toEqual([0, 'Keep it tidy is changed, version 2\n']);
    expect(sent['patchDirective']).toEqual({
      id: tidy.id,
      reconcileMode: 'semi-auto',
      status: 'archived',
      repositoryUrl: 'https://example.com/x.git',
    });
    expect((await stage.run(['directives', 'set', tidy.id])).code).toBe(2);
  });

  it('send another agent', async () => {
    await serve(handlers);
    const { code, stdout } = await stage.run(
      ['directives', 'start', tidy.id, '--plan', '-', '--name', 'again'],
      { stdin: 'look here' },
    );
    expect([code, stdout.trim()]).toEqual([0, sampleTask(7).id]);
    expect(sent['startDirectiveTask']).toEqual({ id: tidy.id, plan: 'look here', name: 'again' });
  });
});

describe('orders', () => {
  it('that wait are listed with their directive; all when asked', async () => {
    await serve(handlers);
    const { stdout } = await stage.run(['orders', 'list', '--directive', 'Keep it fresh']);
    expect(stdout).toContain(
      `${orders[0]?.id}\tDrop the parser\tchore\tmedium\topen\tKeep it tidy`,
    );
    expect(sent['listOrders']).toMatchObject({ status: 'open', directiveId: fresh.id });
    await stage.run(['orders', 'list', '--status', 'all', '--type', 'spike', '--label', 'x']);
    expect(sent['listOrders']).toEqual({ limit: 50, orderType: 'spike', label: 'x' });
  });

  it('are accepted and dismissed by id or title', async () => {
    await serve(handlers);
    const accepted = await stage.run([
      'orders',
      'accept',
      'drop the',
      '--guard-phase',
      'plan',
      '--no-start',
      '--name',
      'N',
    ]);
    expect([accepted.code, accepted.stderr]).toEqual([
      0,
      'drop-parser.  Next: makima contracts start drop-parser\n',
    ]);
    expect(sent['acceptOrder']).toEqual({
      id: orders[0]?.id,
      name: 'N',
      contractType: 'simple',
      phaseGuard: ['plan'],
      start: false,
    });
    const dismissed = await stage.run(['orders', 'dismiss', 'raise', 'not', 'this', 'month']);
    expect(dismissed.stdout).toBe('Raise zod is dismissed\n');
    expect(sent['dismissOrder']).toEqual({ id: orders[1]?.id, reason: 'not this month' });
    expect((await stage.run(['orders', 'accept', 'nothing'])).stderr).toContain(
      'makima orders list',
    );
  });
});

it('an agent orders from its shell', async () => {
  await serve({});
  const door = await startToolServer({
    makima_order: () => ({
      orderId: orders[0]?.id ?? '',
      title: 'Raise zod',
      status: 'open',
      note: '',
    }),
  });
  stage.url = door.url;
  stage.key = 'mkrun_abc';
  const { code, stdout } = await stage.run(
    [
      'supervisor',
      'order',
      'raise',
      'zod',
      '--type',
      'chore',
      '--priority',
      'high',
      '--label',
      'deps',
      '--label',
      'api',
      '--description',
      '-',
      '--repo',
      'https://x/y',
      '--once',
      'k',
      '-o',
      'table',
    ],
    { stdin: 'why' },
  );
  expect([code, stdout]).toEqual([0, `${orders[0]?.id}  Raise zod\n`]);
  expect(door.calls).toMatchObject([
    {
      toolUseId: 'k',
      args: {
        title: 'raise zod',
        description: 'why',
        orderType: 'chore',
        priority: 'high',
        labels: ['deps', 'api'],
        repositoryUrl: 'https://x/y',
      },
    },
  ]);
  stage.key = undefined;
  await door.close();
});
