/** Orders: placed by agents, decided once by people. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zAcceptInput, type AcceptInput } from '@makima/contracts/entity/directive';
import { cleanContract } from '../contract/clean.ts';
import { changeStatus } from '../contract/change-status.ts';
import { deleteContract } from '../contract/remove.ts';
import { getContract } from '../contract/get.ts';
import { getDirective } from '../directive/get.ts';
import { patchDirective } from '../directive/patch.ts';
import { startDirectiveTask } from '../directive/start-task.ts';
import { TestDaemon } from '../test-daemon.ts';
import { by, eventsOf, openTestEngine, refusal, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { directiveStage, orderInput, stage, type Standing } from '../test-stage.ts';
import { acceptOrder } from './accept.ts';
import { dismissOrder } from './dismiss.ts';
import { listOrders } from './list.ts';
import { placeOrder } from './place.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine({ connections: 24, limits: { openOrdersPerDirectiveMax: 6 } });
  daemon = await TestDaemon.join(t, { slots: 100 });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

const place = async (scene: Standing, input: Parameters<typeof orderInput>[0] = {}) =>
  (await placeOrder(t.engine, by(scene.agent), orderInput(input))).result;
const accept = (id: string, input: Partial<AcceptInput> = {}) =>
  acceptOrder(t.engine, by(t.owner), { ...zAcceptInput.parse(input), id });
const dismiss = (id: string, reason = 'not now') =>
  dismissOrder(t.engine, by(t.owner), { id, reason });

describe('an order', () => {
  it('is open, and of the directive and its repository unless another is named', async () => {
    const scene = await directiveStage(t, daemon, { baseBranch: 'main' });
    const order = await place(scene, { labels: ['deps', 'deps', 'api'], description: 'Why.' });
    expect(order).toMatchObject({
      directiveId: scene.directive.id,
      createdByTaskId: scene.start.taskId,
      status: 'open',
      orderType: 'chore',
      priority: 'medium',
      labels: ['deps', 'api'],
      repositoryUrl: '/srv/repositories/example',
      contractId: null,
    });
    const same = await place(scene, { repositoryUrl: '/srv/repositories/example' });
    expect(same.repositoryUrl).toBe('/srv/repositories/example');
    const other = await place(scene, { repositoryUrl: 'https://example.com/other.git' });
    expect(other.repositoryUrl).toBe('https://example.com/other.git');
    const [event] = await t.database.sql`
      select contract_id, task_id, data from events where type = 'order.placed' and data ->> 'orderId' = ${order.id}`;
    expect(event).toMatchObject({ contractId: null, taskId: scene.start.taskId });
  });

  it('is told to the next agent, so that it is not placed again', async () => {
    const scene = await directiveStage(t, daemon);
    await place(scene, { title: 'Remove\nthe parser' });
    const { result } = await startDirectiveTask(t.engine, by(t.owner), { id: scene.directive.id });
    expect(result.plan).toContain('  - Remove the parser [chore, medium]');
  });

  it.each([
    ['file:///etc', 'VALIDATION_FAILED'],
    ['/etc', 'VALIDATION_FAILED'],
    ['ext::sh -c touch', 'VALIDATION_FAILED'],
  ])('is not for the place %s', async (repositoryUrl, code) => {
    const scene = await directiveStage(t, daemon);
    expect((await refusal(place(scene, { repositoryUrl }))).code).toBe(code);
  });

  it('is a spike or a chore', async () => {
    const scene = await directiveStage(t, daemon);
    expect(await refusal(place(scene, { orderType: 'feature' }))).toMatchObject({
      code: 'INVALID_ORDER_TYPE',
      details: { orderType: 'feature', valid: ['spike', 'chore'] },
    });
  });

  it('needs a repository, a directive, and a leading agent', async () => {
    const scene = await directiveStage(t, daemon);
    await t.database.sql`update directives set local_path = null where id = ${scene.directive.id}`;
    expect((await refusal(place(scene))).code).toBe('MISSING_REPO_URL');
    const lead = await stage(t, { daemon });
    const of = (caller: Parameters<typeof by>[0]) => placeOrder(t.engine, by(caller), orderInput());
    expect((await refusal(of(lead.supervisor))).code).toBe('NO_DIRECTIVE');
    expect((await refusal(of({ ...lead.supervisor, isSupervisor: false }))).code).toBe(
      'NOT_SUPERVISOR',
    );
    expect((await refusal(of(t.owner))).code).toBe('NO_CONTEXT');
  });

  it('is not placed for a directive that is archived', async () => {
    const scene = await directiveStage(t, daemon);
    await t.database
      .sql`update directives set status = 'archived' where id = ${scene.directive.id}`;
    expect((await refusal(place(scene))).code).toBe('INVALID_TRANSITION');
  });

  it('is one of a bounded number, also when many come at once', async () => {
    const scene = await directiveStage(t, daemon);
    const all = await Promise.allSettled(Array.from({ length: 9 }, () => place(scene)));
    const placed = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(placed).toHaveLength(6);
    for (const one of all)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    await dismiss(placed[0]?.id ?? '');
    expect((await place(scene)).status).toBe('open');
  });

  it('is listed newest first, by status, type, label and directive', async () => {
    const scene = await directiveStage(t, daemon);
    const { id: directiveId } = scene.directive;
    const a = await place(scene, { orderType: 'spike', labels: ['x'] });
    const b = await place(scene, { labels: ['x', 'y'] });
    const c = await place(scene);
    await dismiss(c.id);
    const list = async (input: Partial<Parameters<typeof listOrders>[2]>) =>
      (await listOrders(t.engine, t.owner, { directiveId, limit: 50, ...input })).items.map(
        (order) => order.id,
      );
    expect(await list({})).toEqual([c.id, b.id, a.id]);
    expect(await list({ status: 'open' })).toEqual([b.id, a.id]);
    expect(await list({ orderType: 'spike' })).toEqual([a.id]);
    expect(await list({ label: 'y' })).toEqual([b.id]);
    const first = await listOrders(t.engine, t.owner, { directiveId, limit: 2 });
    expect(first.nextCursor).toBe(b.id);
    expect(await list({ after: first.nextCursor ?? '' })).toEqual([a.id]);
    expect((await refusal(list({ after: 'nonsense' }))).code).toBe('VALIDATION_FAILED');
  });
});

describe('accepted', () => {
  it('it becomes a contract whose supervisor may order for the directive too', async () => {
    const scene = await directiveStage(t, daemon, { agent: 'scripted', baseBranch: 'main' });
    const order = await place(scene, { priority: 'high', labels: ['deps'], description: 'To 4.' });
    const { result } = await accept(order.id);
    expect(result.order).toMatchObject({
      status: 'accepted',
      contractId: result.contract.id,
      decidedBy: t.owner.name,
    });
    expect(result.contract).toMatchObject({
      name: order.title,
      status: 'active',
      contractType: 'simple',
      priority: 10,
      repositories: [{ localPath: '/srv/repositories/example', baseBranch: 'main' }],
    });
    expect(result.contract.description).toContain('This is a chore');
    expect((await eventsOf(t, result.contract.id)).map((e) => e.type)).toContain('order.accepted');
    expect((await getDirective(t.engine, t.owner, { id: scene.directive.id })).contracts).toEqual([
      expect.objectContaining({ id: result.contract.id, status: 'active' }),
    ]);
    await runJobs(t);
    const start = (await daemon.pullOnly('task.start')).find(
      (command) => command.contractId === result.contract.id,
    );
    if (start === undefined) throw new Error('the supervisor found no place');
    await daemon.started(start);
    const supervisor = await daemon.agent(start);
    expect(supervisor).toMatchObject({ isSupervisor: true, directiveId: scene.directive.id });
    const more = await placeOrder(t.engine, by(supervisor), orderInput({ title: 'And this' }));
    expect(more.result).toMatchObject({
      directiveId: scene.directive.id,
      createdByTaskId: start.taskId,
    });
    expect((await eventsOf(t, result.contract.id)).map((e) => e.type)).toContain('order.placed');
  });

  it('by twenty at once it becomes one contract, which all are answered', async () => {
    const order = await place(await directiveStage(t, daemon));
    const all = await Promise.all(Array.from({ length: 20 }, () => accept(order.id)));
    expect(new Set(all.map(({ result }) => result.contract.id)).size).toBe(1);
    const [row] = await t.database.sql`
      select count(*)::int as n from contracts where directive_id = ${order.directiveId}`;
    expect(row?.['n']).toBe(1);
  });

  it('takes name, type, guard and agent as the person says', async () => {
    const scene = await directiveStage(t, daemon, { agent: 'scripted', model: 'm1' });
    const [a, b] = [await place(scene), await place(scene)];
    const { contract } = (
      await accept(a.id, {
        name: 'Other',
        contractType: 'specification',
        phaseGuard: ['plan'],
        start: false,
      })
    ).result;
    expect(contract).toMatchObject({
      name: 'Other',
      contractType: 'specification',
      guardedPhases: ['plan'],
      status: 'created',
    });
    const [row] = await t.database
      .sql`select agent, model from contracts where id = ${contract.id}`;
    expect(row).toEqual({ agent: 'scripted', model: 'm1' });
    const { result } = await accept(b.id, { agent: 'claude', start: false });
    const [other] = await t.database
      .sql`select agent, model from contracts where id = ${result.contract.id}`;
    expect(other).toEqual({ agent: 'claude', model: null });
    expect((await refusal(accept((await place(scene)).id, { contractType: 'x' }))).code).toBe(
      'VALIDATION_FAILED',
    );
  });

  it('it cannot be dismissed; its contract may be deleted and is then gone', async () => {
    const scene = await directiveStage(t, daemon);
    const order = await place(scene);
    const { contract } = (await accept(order.id, { start: false })).result;
    expect(await refusal(dismiss(order.id))).toMatchObject({
      code: 'INVALID_TRANSITION',
      details: { contractId: contract.id },
    });
    await changeStatus(t.engine, by(t.owner), { id: contract.id, targetStatus: 'failed' });
    await cleanContract(t.engine, t.system, { contractId: contract.id });
    await deleteContract(t.engine, by(t.owner), { id: contract.id, confirm: true });
    expect((await refusal(accept(order.id))).code).toBe('CONFLICT');
    const { items } = await listOrders(t.engine, t.owner, {
      directiveId: scene.directive.id,
      limit: 5,
    });
    expect(items).toMatchObject([{ status: 'accepted', contractId: null }]);
  });

  it('of an archived directive it is refused', async () => {
    const scene = await directiveStage(t, daemon);
    const order = await place(scene);
    await daemon.ended(scene.start);
    await patchDirective(t.engine, by(t.owner), { id: scene.directive.id, status: 'archived' });
    expect((await refusal(accept(order.id))).code).toBe('INVALID_TRANSITION');
  });
});

describe('dismissed', () => {
  it('it keeps the first reason and is never accepted', async () => {
    const order = await place(await directiveStage(t, daemon));
    expect((await dismiss(order.id, 'too early')).result).toMatchObject({
      status: 'dismissed',
      dismissedReason: 'too early',
      decidedBy: t.owner.name,
    });
    expect((await dismiss(order.id, 'other')).result.dismissedReason).toBe('too early');
    expect(await refusal(accept(order.id))).toMatchObject({
      code: 'INVALID_TRANSITION',
      details: { reason: 'too early' },
    });
  });

  it('and accepted at once, one of the two wins', async () => {
    for (let i = 0; i < 5; i += 1) {
      const order = await place(await directiveStage(t, daemon));
      const [yes, no] = await Promise.allSettled([accept(order.id), dismiss(order.id)]);
      expect([yes.status, no.status].toSorted()).toEqual(['fulfilled', 'rejected']);
      const contract = yes.status === 'fulfilled' ? yes.value.result.contract : undefined;
      if (contract !== undefined)
        expect((await getContract(t.engine, t.owner, { id: contract.id })).id).toBe(contract.id);
    }
  });
});
