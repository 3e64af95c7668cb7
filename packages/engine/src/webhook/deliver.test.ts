/** Deliveries: one for an endpoint and an event, tried for hours, given up in the open, replayed under one id. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deliveryTriesMax } from '@makima/domain/webhook';
import { changeStatus } from '../contract/change-status.ts';
import { inbox } from '../question/inbox.ts';
import { pruneExpired } from '../retention/prune.ts';
import { by, newContract, openTestEngine, refusal, type TestEngine } from '../test-engine.ts';
import { fanOut, newWebhook, sendDue } from '../test-webhook.ts';
import { patchWebhook } from './change.ts';
import { claimDeliveries, recordTries, releaseWebhook } from './deliver.ts';
import { fanOutEvents } from './fan-out.ts';
import { getDelivery, getWebhook, listDeliveries } from './get.ts';
import { replayDelivery, replayWebhook, testWebhook } from './replay.ts';

let t: TestEngine;
beforeAll(async () => {
  t = await openTestEngine({ connections: 24 });
});
afterAll(() => t.close());

const sql = () => t.database.sql;
const created = async () => (await newWebhook(t, { eventTypes: ['contract.created'] })).webhook.id;
const deliveries = async (id: string) =>
  (await listDeliveries(t.engine, t.owner, { id, limit: 200 })).items;
/** All that is due becomes due now. */
const hurry = (id: string) => sql()`
  with paused as (update webhooks set paused_until = null where id = ${id})
  update webhook_deliveries set next_try_at = clock() where webhook_id = ${id} and state = 'pending'`;
const mailed = () => sql()<{ payload: { webhookId: string }; notBefore: Date }[]>`
  select payload, not_before from outbox where queue = 'deliver-notification' order by id`;

describe('events', () => {
  it('become one delivery each for who wants them, however often and by how many they are looked at', async () => {
    const all = (await newWebhook(t, { eventTypes: ['*'] })).webhook.id;
    const some = await created();
    const contract = await newContract(t, { start: false });
    const mine = (await newWebhook(t, { eventTypes: ['*'], contractIds: [contract.id] })).webhook
      .id;
    await newContract(t, { start: false });
    await changeStatus(t.engine, by(t.owner), { id: contract.id, targetStatus: 'failed' });
    await Promise.all(Array.from({ length: 8 }, () => fanOutEvents(t.engine, { limit: 100 })));
    await fanOut(t);
    expect((await deliveries(some)).map((one) => one.eventType)).toEqual([
      'contract.created',
      'contract.created',
    ]);
    const ofMine = await deliveries(mine);
    expect(new Set(ofMine.map((one) => one.contractId))).toEqual(new Set([contract.id]));
    expect(ofMine.map((one) => one.eventType)).toContain('contract.failed');
    const ofAll = (await deliveries(all)).map((one) => one.eventId);
    expect(new Set(ofAll).size).toBe(ofAll.length);
    const [left] = await sql()`
      select count(*)::int as n from events e join webhooks w on w.id = ${all}
       where (e.xid, e.id) > (w.cursor_xid, w.cursor_id)`;
    expect(left?.['n']).toBe(0);
    expect((await mailed()).map((row) => row.payload.webhookId)).toEqual(
      expect.arrayContaining([all, some, mine]),
    );
  });

  it('of a slow transaction are not missed', async () => {
    const id = await created();
    const gate = Promise.withResolvers<void>();
    const began = Promise.withResolvers<void>();
    const slow = sql().begin(async (tx) => {
      await tx`insert into events (owner_id, type, actor, data)
               values (${t.ownerId}, 'contract.created', '{}', '{"slow":true}')`;
      began.resolve();
      await gate.promise;
    });
    await began.promise;
    await newContract(t, { start: false });
    await fanOutEvents(t.engine, { limit: 100 });
    gate.resolve();
    await slow;
    await fanOut(t);
    expect(await deliveries(id)).toHaveLength(2);
  });

  it('carry the event as everybody reads it; for a phone, words', async () => {
    const plain = await created();
    const phone = (
      await newWebhook(t, { kind: 'ntfy', url: 'https://ntfy.sh/', topic: 'x', eventTypes: ['*'] })
    ).webhook.id;
    const contract = await newContract(t, { start: false });
    await changeStatus(t.engine, by(t.owner), {
      id: contract.id,
      targetStatus: 'failed',
      reason: 'no use',
    });
    await fanOut(t);
    const [one] = await deliveries(plain);
    const detail = await getDelivery(t.engine, t.owner, { id: plain, deliveryId: one?.id ?? '' });
    expect(JSON.parse(detail.body)).toMatchObject({
      type: 'contract.created',
      timestamp: expect.any(String),
      data: { type: 'contract.created', contractId: contract.id, v: 1 },
    });
    const failed = (await deliveries(phone)).find((each) => each.eventType === 'contract.failed');
    const words = await getDelivery(t.engine, t.owner, { id: phone, deliveryId: failed?.id ?? '' });
    expect(JSON.parse(words.body)).toEqual({
      topic: 'x',
      title: `${contract.slug} failed`,
      message: 'no use\nIn a terminal: makima inbox',
      priority: 4,
      tags: ['x'],
    });
  });
});

describe('a try', () => {
  it('is written down before it is made, with how it went after it', async () => {
    const id = await created();
    await newContract(t, { start: false });
    await fanOut(t);
    const holder = { webhookId: id, token: randomUUID() };
    const claim = await claimDeliveries(t.engine, t.system, { ...holder, limit: 5 });
    const deliveryId = claim?.deliveries[0]?.deliveryId ?? '';
    const read = () => getDelivery(t.engine, t.owner, { id, deliveryId });
    expect((await read()).tried).toMatchObject([{ attempt: 1, endedAt: null, status: null }]);
    // Nobody else speaks to it meanwhile, and nothing is due twice.
    const other = { webhookId: id, token: randomUUID() };
    expect(await claimDeliveries(t.engine, t.system, { ...other, limit: 5 })).toBeNull();
    expect(
      (await claimDeliveries(t.engine, t.system, { ...holder, limit: 5 }))?.deliveries,
    ).toEqual([]);
    const end = {
      deliveryId,
      attempt: 1,
      durationMs: 7,
      status: 200,
      answer: 'ok',
      error: null,
      retryAfterMs: null,
      interrupted: false,
    };
    expect((await refusal(recordTries(t.engine, t.system, { ...other, tries: [end] }))).code).toBe(
      'FENCED',
    );
    await recordTries(t.engine, t.system, { ...holder, tries: [end] });
    await recordTries(t.engine, t.system, { ...holder, tries: [{ ...end, status: 500 }] });
    await releaseWebhook(t.engine, t.system, holder);
    expect(await read()).toMatchObject({
      state: 'delivered',
      nextTryAt: null,
      lastStatus: 200,
      lastDurationMs: 7,
      tried: [{ attempt: 1, status: 200, answer: 'ok', durationMs: 7 }],
    });
    expect((await getWebhook(t.engine, t.owner, { id })).lastDeliveredAt).not.toBeNull();
  });

  it('whose maker died is made again under the same id when its lease is over', async () => {
    const id = await created();
    await newContract(t, { start: false });
    await fanOut(t);
    const dead = { webhookId: id, token: randomUUID() };
    const first = await claimDeliveries(t.engine, t.system, { ...dead, limit: 5 });
    expect(await sendDue(t, id, 200)).toBeNull();
    await sql()`update webhooks set lease_until = clock() - interval '1 s' where id = ${id}`;
    await hurry(id);
    const second = await sendDue(t, id, 200);
    expect(second?.deliveries[0]?.messageId).toBe(first?.deliveries[0]?.messageId);
    const [one] = await deliveries(id);
    const { tried } = await getDelivery(t.engine, t.owner, { id, deliveryId: one?.id ?? '' });
    expect(tried).toMatchObject([
      { attempt: 1, endedAt: null },
      { attempt: 2, status: 200 },
    ]);
  });

  it('that fails is made again later, and after the last one the delivery has failed', async () => {
    const id = await created();
    await newContract(t, { start: false });
    await fanOut(t);
    const [waits] = await deliveries(id);
    for (let tries = 1; tries <= deliveryTriesMax; tries += 1) {
      expect((await sendDue(t, id, 500))?.deliveries).toHaveLength(1);
      const [one] = await deliveries(id);
      expect(one).toMatchObject({ tries, lastStatus: 500, messageId: waits?.messageId });
      expect(one?.state).toBe(tries < deliveryTriesMax ? 'pending' : 'failed');
      expect((await sendDue(t, id, 500))?.deliveries).toEqual([]);
      await hurry(id);
    }
    expect((await sendDue(t, id, 200))?.deliveries).toEqual([]);
    expect(await getWebhook(t.engine, t.owner, { id })).toMatchObject({
      status: 'active',
      failures: deliveryTriesMax,
    });
  });

  it('is asked for by a ticket at its time', async () => {
    const id = await created();
    await newContract(t, { start: false });
    await fanOut(t);
    await sendDue(t, id, null);
    const ticket = (await mailed()).findLast((row) => row.payload.webhookId === id);
    const [one] = await deliveries(id);
    expect(ticket?.notBefore.toISOString()).toBe(one?.nextTryAt);
    expect(one).toMatchObject({ lastStatus: null, lastError: 'ECONNREFUSED' });
  });

  it('broken off by us counts as nobody’s failure', async () => {
    const id = await created();
    await newContract(t, { start: false });
    await fanOut(t);
    const holder = { webhookId: id, token: randomUUID() };
    const claim = await claimDeliveries(t.engine, t.system, { ...holder, limit: 5 });
    const tries = (claim?.deliveries ?? []).map(({ deliveryId, attempt }) => ({
      deliveryId,
      attempt,
      durationMs: 1,
      status: null,
      answer: null,
      error: 'makima stopped before an answer came',
      retryAfterMs: null,
      interrupted: true,
    }));
    await recordTries(t.engine, t.system, { ...holder, tries });
    await releaseWebhook(t.engine, t.system, holder);
    expect(await getWebhook(t.engine, t.owner, { id })).toMatchObject({ failures: 0, pending: 1 });
    expect((await sendDue(t, id, 200))?.deliveries).toHaveLength(1);
  });
});

describe('an endpoint that fails', () => {
  it('is asked with one delivery at a time, and left alone longer and longer', async () => {
    const id = await created();
    for (let i = 0; i < 6; i += 1) await newContract(t, { start: false });
    await fanOut(t);
    expect((await sendDue(t, id, 503))?.deliveries).toHaveLength(6);
    await hurry(id);
    expect((await sendDue(t, id, 503))?.deliveries).toHaveLength(1);
    const shown = await getWebhook(t.engine, t.owner, { id });
    expect(shown.failures).toBe(7);
    expect(Date.parse(shown.pausedUntil ?? '')).toBeGreaterThan(
      Date.parse(shown.failingSince ?? ''),
    );
    await sql()`update webhook_deliveries set next_try_at = clock() where webhook_id = ${id}`;
    expect((await sendDue(t, id, 200))?.deliveries).toEqual([]);
    await hurry(id);
    expect((await sendDue(t, id, 200))?.deliveries).toHaveLength(1);
    expect(await getWebhook(t.engine, t.owner, { id })).toMatchObject({
      failures: 0,
      failingSince: null,
      pausedUntil: null,
    });
    expect((await sendDue(t, id, 200))?.deliveries).toHaveLength(5);
  });

  it('for a day is set aside with one incident, until an owner brings it back', async () => {
    const id = await created();
    for (let i = 0; i < 3; i += 1) await newContract(t, { start: false });
    await fanOut(t);
    await sendDue(t, id, 500);
    await sql()`update webhooks set failures = 20, failing_since = clock() - interval '25 hours' where id = ${id}`;
    for (let i = 0; i < 3; i += 1) {
      await hurry(id);
      await sendDue(t, id, 500);
    }
    const shown = await getWebhook(t.engine, t.owner, { id });
    expect(shown).toMatchObject({ status: 'quarantined', pending: 3 });
    expect(shown.statusReason).toContain('nothing was taken since');
    const incidents = await sql()`
      select 1 from events where type = 'webhook.quarantined' and data->>'webhookId' = ${id}`;
    expect(incidents).toHaveLength(1);
    const items = async () =>
      (await inbox(t.engine, t.owner)).items.filter((item) => item.act.endsWith(id));
    expect(await items()).toMatchObject([{ kind: 'incident', contractId: null }]);
    await hurry(id);
    expect((await sendDue(t, id, 200))?.deliveries).toEqual([]);
    const again = replayWebhook(t.engine, by(t.owner), { id, since: '2020-01-01T00:00:00Z' });
    expect((await refusal(again)).code).toBe('CONFLICT');
    await patchWebhook(t.engine, by(t.owner), { id, enabled: true });
    expect(await items()).toEqual([]);
    await hurry(id);
    expect((await sendDue(t, id, 200))?.deliveries).toHaveLength(3);
  });

  it('with 410 is set aside at once', async () => {
    const id = await created();
    await newContract(t, { start: false });
    await fanOut(t);
    await sendDue(t, id, 410);
    expect(await getWebhook(t.engine, t.owner, { id })).toMatchObject({
      status: 'quarantined',
      statusReason: 'it answered 410: it is gone for good',
    });
  });
});

describe('a test', () => {
  it('goes out at once, once, whatever the status, and counts for nothing', async () => {
    const id = await created();
    await newContract(t, { start: false });
    await fanOut(t);
    await sendDue(t, id, 410);
    const { result } = await testWebhook(t.engine, by(t.owner), { id });
    expect(result).toMatchObject({ eventId: null, eventType: 'webhook.test', state: 'pending' });
    const claim = await sendDue(t, id, 500);
    expect(claim?.deliveries.map(({ body }) => JSON.parse(body))).toMatchObject([
      { type: 'webhook.test', data: { webhookId: id } },
    ]);
    const shown = await getDelivery(t.engine, t.owner, { id, deliveryId: result.id });
    expect(shown).toMatchObject({ state: 'failed', attempts: 1, lastStatus: 500 });
    expect((await getWebhook(t.engine, t.owner, { id })).failures).toBe(1);
  });

  it('is not piled up', async () => {
    const id = await created();
    for (let i = 0; i < 10; i += 1) await testWebhook(t.engine, by(t.owner), { id });
    expect((await refusal(testWebhook(t.engine, by(t.owner), { id }))).code).toBe('LIMIT_EXCEEDED');
  });
});

describe('a replay', () => {
  it('of one delivery is the same message once more', async () => {
    const id = await created();
    await newContract(t, { start: false });
    await fanOut(t);
    const [waiting] = await deliveries(id);
    const replay = (deliveryId: string) =>
      replayDelivery(t.engine, by(t.owner), { id, deliveryId });
    expect((await refusal(replay(waiting?.id ?? ''))).code).toBe('CONFLICT');
    const first = await sendDue(t, id, 200);
    const { result } = await replay(waiting?.id ?? '');
    expect(result).toMatchObject({ state: 'pending', tries: 0, attempts: 1 });
    const second = await sendDue(t, id, 200);
    expect(second?.deliveries[0]).toMatchObject({
      messageId: first?.deliveries[0]?.messageId,
      body: first?.deliveries[0]?.body,
      attempt: 2,
    });
    const foreign = await created();
    expect(
      (
        await refusal(
          replayDelivery(t.engine, by(t.owner), { id: foreign, deliveryId: waiting?.id ?? '' }),
        )
      ).code,
    ).toBe('NOT_FOUND');
  });

  it('since a time brings what was missed and what was taken, each once', async () => {
    const before = await newContract(t, { start: false });
    const id = await created();
    await newContract(t, { start: false });
    await fanOut(t);
    await sendDue(t, id, 200);
    const since = before.createdAt;
    const replay = () => replayWebhook(t.engine, by(t.owner), { id, since });
    const { result } = await replay();
    expect(result.deliveries).toBe(2);
    expect((await replay()).result.deliveries).toBe(0);
    expect((await sendDue(t, id, 200))?.deliveries).toHaveLength(2);
    const none = { id, since: '2020-01-01T00:00:00Z', until: '2020-01-02T00:00:00Z' };
    expect((await replayWebhook(t.engine, by(t.owner), none)).result.deliveries).toBe(0);
  });

  it('of too much is refused', async () => {
    const few = await openTestEngine({ limits: { replayedDeliveriesMax: 1 } });
    const { webhook } = await newWebhook(few, { eventTypes: ['*'] });
    await newContract(few);
    const much = replayWebhook(few.engine, by(few.owner), {
      id: webhook.id,
      since: '2020-01-01T00:00:00Z',
    });
    expect((await refusal(much)).code).toBe('LIMIT_EXCEEDED');
    await few.close();
  });
});

it('the log is read in pages, by state, and goes after a month', async () => {
  const id = await created();
  for (let i = 0; i < 5; i += 1) await newContract(t, { start: false });
  await fanOut(t);
  await sendDue(t, id, 200);
  await newContract(t, { start: false });
  await fanOut(t);
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const page = await listDeliveries(t.engine, t.owner, { id, limit: 2, after });
    seen.push(...page.items.map((one) => one.id));
    after = page.nextCursor ?? undefined;
  } while (after !== undefined);
  expect(seen).toHaveLength(6);
  expect(seen).toEqual(seen.toSorted().toReversed());
  const pending = await listDeliveries(t.engine, t.owner, { id, state: 'pending', limit: 9 });
  expect(pending.items.map((one) => one.id)).toEqual([seen[0]]);
  const bad = listDeliveries(t.engine, t.owner, { id, limit: 2, after: 'nonsense' });
  expect((await refusal(bad)).code).toBe('VALIDATION_FAILED');
  await sql()`update webhook_deliveries set created_at = clock() - interval '31 days',
                     finished_at = case when finished_at is not null then clock() - interval '31 days' end
               where webhook_id = ${id} and id <> ${seen[1] ?? ''}`;
  await pruneExpired(t.engine, { limit: 1_000 });
  expect((await deliveries(id)).map((one) => one.id)).toEqual([seen[1]]);
});
