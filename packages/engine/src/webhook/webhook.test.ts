/** Webhooks of owners: made, changed, rotated, deleted; wrong input, limits, foreign contracts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WebhookInput } from '@makima/contracts/entity/webhook';
import { personNeeded } from '@makima/domain/push';
import {
  by,
  newContract,
  openTestEngine,
  refusal,
  stranger,
  type TestEngine,
} from '../test-engine.ts';
import { fanOut, hookUrl, newWebhook, sendDue } from '../test-webhook.ts';
import { deleteWebhook, patchWebhook, rotateWebhookSecret } from './change.ts';
import { createWebhook } from './create.ts';
import { getDelivery, getWebhook, listDeliveries, listWebhooks } from './get.ts';
import { testWebhook } from './replay.ts';

let t: TestEngine;
beforeAll(async () => {
  t = await openTestEngine();
});
afterAll(() => t.close());

const refused = (input: Partial<WebhookInput>) => refusal(newWebhook(t, input));
const secretsOf = async (webhookId: string) =>
  (
    await t.database.sql<{ secret: string }[]>`
      select secret from webhook_secrets where webhook_id = ${webhookId} order by created_at`
  ).map((row) => row.secret);

describe('a webhook', () => {
  it('is made with what a person is needed for, and its secret is shown once', async () => {
    const { webhook, secret } = await newWebhook(t);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(webhook).toMatchObject({
      kind: 'webhook',
      name: 'hooks.example.com',
      url: hookUrl,
      eventTypes: [...personNeeded],
      contractIds: [],
      status: 'active',
      failures: 0,
      pending: 0,
      secrets: [{ expiresAt: null }],
    });
    const shown = await getWebhook(t.engine, t.owner, { id: webhook.id });
    expect(shown).toEqual(webhook);
    expect(JSON.stringify([shown, await listWebhooks(t.engine, t.owner)])).not.toContain('whsec_');
    const [told] = await t.database.sql`
      select data from events where type = 'webhook.created' and data->>'webhookId' = ${webhook.id}`;
    expect(told?.['data']).toMatchObject({ host: 'hooks.example.com', kind: 'webhook' });
    const everywhere = await t.database.sql`
      select (select string_agg(data::text, '') from events) || (select string_agg(detail::text, '') from audit)
             || (select coalesce(string_agg(payload::text, ''), '') from outbox) as text`;
    expect(everywhere[0]?.['text']).not.toContain(secret?.slice(6));
    expect(everywhere[0]?.['text']).not.toContain('/makima');
  });

  it.each<[Partial<WebhookInput>, string]>([
    [{ url: 'https://127.0.0.1/' }, '/url'],
    [{ url: 'http://hooks.example.com/' }, '/url'],
    [{ kind: 'ntfy' }, '/topic'],
    [{ topic: 'x' }, '/topic'],
    [{ token: 'x' }, '/token'],
  ])('with %j is refused', async (input, pointer) => {
    expect(await refused(input)).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { errors: [{ pointer }] },
    });
  });

  it('of a contract that is not there, or not theirs, is refused', async () => {
    const foreign = await stranger(t);
    const { id } = await newContract(t);
    expect((await newWebhook(t, { contractIds: [id, id] })).webhook.contractIds).toEqual([id]);
    const theirs = createWebhook(t.engine, by(foreign), {
      kind: 'webhook',
      url: hookUrl,
      contractIds: [id],
    });
    expect((await refusal(theirs)).code).toBe('CONTRACT_NOT_FOUND');
  });

  it('is one of so many', async () => {
    const few = await openTestEngine({ limits: { webhooksPerOwnerMax: 2 } });
    await newWebhook(few);
    const both = await Promise.allSettled([newWebhook(few), newWebhook(few)]);
    expect(both.map((one) => one.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await refusal(newWebhook(few))).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    await few.close();
  });

  it('of ntfy keeps the token of its server, and signs nothing', async () => {
    const { webhook, secret } = await newWebhook(t, {
      kind: 'ntfy',
      url: 'https://ntfy.example.com/',
      topic: 'alerts',
      token: 'tk_secret',
    });
    expect(secret).toBeNull();
    expect(await secretsOf(webhook.id)).toEqual(['tk_secret']);
    expect(JSON.stringify(webhook)).not.toContain('tk_secret');
    const open = await newWebhook(t, { kind: 'ntfy', url: 'https://ntfy.sh/', topic: 'x' });
    expect(open.webhook.secrets).toEqual([]);
    const rotated = rotateWebhookSecret(t.engine, by(t.owner), {
      id: webhook.id,
      overlapSeconds: 60,
    });
    expect((await refusal(rotated)).code).toBe('CONFLICT');
  });
});

describe('a change', () => {
  it('is by the version that was read, and says what it changed', async () => {
    const { webhook } = await newWebhook(t);
    const { id } = webhook;
    const patch = (input: Partial<Parameters<typeof patchWebhook>[2]>) =>
      patchWebhook(t.engine, by(t.owner), { id, ...input });
    const { result } = await patch({
      name: 'ops',
      eventTypes: ['*'],
      url: 'https://other.example.com/x',
      expectedVersion: 1,
    });
    expect(result).toMatchObject({ name: 'ops', eventTypes: ['*'], version: 2 });
    expect((await refusal(patch({ name: 'late', expectedVersion: 1 }))).details).toEqual({
      expected: 1,
      actual: 2,
    });
    expect((await patch({ name: 'ops' })).result.version).toBe(2);
    expect((await refusal(patch({ url: 'https://10.0.0.1/' }))).code).toBe('VALIDATION_FAILED');
    const nowhere = '00000000-0000-7000-8000-000000000000';
    expect((await refusal(patch({ contractIds: [nowhere] }))).code).toBe('CONTRACT_NOT_FOUND');
    const told = await t.database.sql<{ data: unknown }[]>`
      select data from events where type = 'webhook.changed' and data->>'webhookId' = ${id}`;
    expect(told.map((row) => row.data)).toEqual([
      { webhookId: id, name: 'ops', changed: ['name', 'url', 'eventTypes'], status: 'active' },
    ]);
  });

  it('disables, and brings back from now on with what waits', async () => {
    const { webhook } = await newWebhook(t, { eventTypes: ['contract.created'] });
    const { id } = webhook;
    const enable = (enabled: boolean) => patchWebhook(t.engine, by(t.owner), { id, enabled });
    await newContract(t, { start: false });
    await fanOut(t);
    expect((await enable(false)).result).toMatchObject({
      status: 'disabled',
      statusReason: `disabled by ${t.owner.name}`,
      pending: 1,
    });
    expect((await enable(false)).result.status).toBe('disabled');
    expect((await sendDue(t, id, 200))?.deliveries).toEqual([]);
    await newContract(t, { start: false });
    expect((await enable(true)).result).toMatchObject({ status: 'active', statusReason: null });
    await fanOut(t);
    expect((await sendDue(t, id, 200))?.deliveries).toHaveLength(1);
    expect((await sendDue(t, id, 200))?.deliveries).toEqual([]);
  });
});

describe('a rotation', () => {
  it('has two secrets that sign, then one; a further one ends the oldest', async () => {
    const { webhook, secret: first } = await newWebhook(t);
    const rotate = async (overlapSeconds: number) =>
      (await rotateWebhookSecret(t.engine, by(t.owner), { id: webhook.id, overlapSeconds })).result;
    const second = await rotate(3_600);
    expect(second.webhook.secrets).toMatchObject([
      { expiresAt: null },
      { expiresAt: expect.any(String) },
    ]);
    const claimed = async () => (await sendDue(t, webhook.id, 200))?.secrets;
    expect(await claimed()).toEqual([second.secret, first]);
    const third = await rotate(3_600);
    expect(await claimed()).toEqual([third.secret, second.secret]);
    await t.database.sql`update webhook_secrets set expires_at = clock() - interval '1 s'
                          where webhook_id = ${webhook.id} and expires_at is not null`;
    expect(await claimed()).toEqual([third.secret]);
    const last = await rotate(0);
    expect(await claimed()).toEqual([last.secret]);
  });
});

describe('what is deleted', () => {
  it('is gone with its secrets and its log', async () => {
    const { webhook } = await newWebhook(t);
    const { id } = webhook;
    const { result: test } = await testWebhook(t.engine, by(t.owner), { id });
    await sendDue(t, id, 200);
    await deleteWebhook(t.engine, by(t.owner), { id });
    expect(await secretsOf(id)).toEqual([]);
    const about = { id, deliveryId: test.id };
    for (const gone of [
      () => getWebhook(t.engine, t.owner, { id }),
      () => listDeliveries(t.engine, t.owner, { id, limit: 5 }),
      () => getDelivery(t.engine, t.owner, about),
      () => deleteWebhook(t.engine, by(t.owner), { id }),
      () => patchWebhook(t.engine, by(t.owner), { id, name: 'x' }),
    ])
      expect((await refusal(gone())).code).toBe('NOT_FOUND');
    expect(
      await t.database.sql`select 1 from webhook_attempts a where a.delivery_id = ${test.id}`,
    ).toHaveLength(0);
    // Whoever still sends to it finds nobody.
    expect(await sendDue(t, id, 200)).toBeNull();
  });
});
