/** From an event to whoever is told of it, over a real socket: signed, tried again, given up, once per event. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Webhook } from 'standardwebhooks';
import type { WebhookInput } from '@makima/contracts/entity/webhook';
import { jobVersion } from '@makima/contracts/jobs';
import type { House } from '@makima/engine/test/house';
import { rotateWebhookSecret } from '@makima/engine/webhook/change';
import { createWebhook } from '@makima/engine/webhook/create';
import { fanOutEvents } from '@makima/engine/webhook/fan-out';
import { getDelivery, getWebhook, listDeliveries } from '@makima/engine/webhook/get';
import { testWebhook } from '@makima/engine/webhook/replay';
import { schedulerHandlers } from '../consumers.ts';
import { placeOwner } from '../jobs/spawn-task.ts';
import { delivery, testHouse } from '../test/kit.ts';
import { replyWith, selfSigned, startReceiver, type Receiver } from '../test/receiver.ts';
import { deliverDue } from './deliver.ts';

interface Told {
  readonly house: House;
  readonly id: string;
  readonly secret: string;
  /** Events become deliveries, and what is due is sent. */
  send(options?: { limitMs?: number }): Promise<void>;
  /** What waits becomes due. */
  hurry(): Promise<void>;
}

async function told(url: string, input: Partial<WebhookInput> = {}): Promise<Told> {
  const house = await testHouse(undefined, { webhookAllowedHosts: ['127.0.0.1'] });
  const { engine, owner, ownerId } = house;
  const call = { caller: owner };
  const whole: WebhookInput = {
    kind: 'webhook',
    url,
    eventTypes: ['contract.created'],
    contractIds: [],
    ...input,
  };
  const { result } = await createWebhook(engine, call, whole);
  const { id } = result.webhook;
  const caller = { kind: 'system', ownerId, name: 'deliver-notification' } as const;
  return {
    house,
    id,
    secret: result.secret ?? '',
    async send(options = {}) {
      while ((await fanOutEvents(engine, { limit: 100 })) > 0);
      const { signal, log } = delivery();
      await deliverDue(engine, caller, id, { signal, log, ...options });
    },
    async hurry() {
      const { sql } = engine.database;
      await sql`update webhooks set paused_until = null where id = ${id}`;
      await sql`update webhook_deliveries set next_try_at = clock() where webhook_id = ${id} and state = 'pending'`;
    },
  };
}

const log = async ({ house, id }: Told) =>
  (await listDeliveries(house.engine, house.owner, { id, limit: 50 })).items;
const webhookOf = ({ house, id }: Told) => getWebhook(house.engine, house.owner, { id });

/** As the receiver of a webhook would. */
function verified(receiver: Receiver, secret: string, nth = 0): unknown {
  const one = receiver.received[nth];
  if (one === undefined) throw new Error('nothing came');
  return new Webhook(secret).verify(one.body, one.headers as Record<string, string>);
}

describe('a webhook', () => {
  it('is told of each event once, signed so that the official library accepts it', async () => {
    const receiver = await startReceiver(replyWith(200));
    const hook = await told(receiver.url);
    const contracts = [await hook.house.contract(), await hook.house.contract()];
    await hook.send();
    await hook.send();
    expect(receiver.received).toHaveLength(2);
    const bodies = [0, 1].map((nth) => verified(receiver, hook.secret, nth));
    expect(bodies).toEqual(
      expect.arrayContaining(
        contracts.map(({ id }) =>
          expect.objectContaining({
            type: 'contract.created',
            data: expect.objectContaining({ contractId: id }),
          }),
        ),
      ),
    );
    const ids = receiver.received.map((one) => String(one.headers['webhook-id']));
    expect(ids.toSorted()).toEqual((await log(hook)).map((one) => one.messageId).toSorted());
    expect(await log(hook)).toMatchObject([
      { state: 'delivered', tries: 1, lastStatus: 200, lastError: null },
      { state: 'delivered', tries: 1, lastStatus: 200, lastError: null },
    ]);
  });

  it('in a rotation is signed with both secrets', async () => {
    const receiver = await startReceiver(replyWith(200));
    const hook = await told(receiver.url);
    const rotated = await rotateWebhookSecret(
      hook.house.engine,
      { caller: hook.house.owner },
      { id: hook.id, overlapSeconds: 60 },
    );
    await hook.house.contract();
    await hook.send();
    verified(receiver, hook.secret);
    verified(receiver, rotated.result.secret ?? '');
  });

  it('that fails at first has it again under the same id, and the log says how each went', async () => {
    const receiver = await startReceiver((received, response, nth) =>
      replyWith(nth === 1 ? 500 : 204, {}, nth === 1 ? 'down for a moment' : '')(
        received,
        response,
        nth,
      ),
    );
    const hook = await told(receiver.url);
    await hook.house.contract();
    await hook.send();
    expect(await log(hook)).toMatchObject([{ state: 'pending', tries: 1, lastStatus: 500 }]);
    expect(await webhookOf(hook)).toMatchObject({ failures: 1 });
    await hook.send();
    expect(receiver.received).toHaveLength(1);
    await hook.hurry();
    await hook.send();
    const [first, second] = receiver.received;
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    expect(second?.body).toBe(first?.body);
    verified(receiver, hook.secret, 1);
    const [one] = await log(hook);
    const about = { id: hook.id, deliveryId: one?.id ?? '' };
    expect(await getDelivery(hook.house.engine, hook.house.owner, about)).toMatchObject({
      state: 'delivered',
      url: receiver.url,
      body: first?.body,
      tried: [
        { attempt: 1, status: 500, answer: 'down for a moment', durationMs: expect.any(Number) },
        { attempt: 2, status: 204, answer: '' },
      ],
    });
    expect(await webhookOf(hook)).toMatchObject({
      failures: 0,
      lastDeliveredAt: expect.any(String),
    });
  });

  it('that hangs is given up after its time, that leads elsewhere is not followed', async () => {
    const hanging = await told((await startReceiver(() => undefined)).url);
    await hanging.house.contract();
    await hanging.send({ limitMs: 200 });
    expect(await log(hanging)).toMatchObject([
      { state: 'pending', lastStatus: null, lastError: 'no answer within 200 ms' },
    ]);
    const target = await startReceiver(replyWith(200));
    const leading = await told((await startReceiver(replyWith(302, { location: target.url }))).url);
    await leading.house.contract();
    await leading.send();
    expect(await log(leading)).toMatchObject([{ state: 'pending', lastStatus: 302 }]);
    expect(target.connections).toBe(0);
  });

  it('with a certificate that nobody signed is not told', async () => {
    const receiver = await startReceiver(replyWith(200), selfSigned);
    const hook = await told(receiver.url);
    await hook.house.contract();
    await hook.send();
    expect(receiver.received).toEqual([]);
    const [one] = await log(hook);
    expect(one?.lastError).toMatch(/SELF_SIGNED/);
  });

  it('that is gone is set aside at once, with one event, and a test still reaches it', async () => {
    const receiver = await startReceiver((received, response, nth) =>
      replyWith(nth < 3 ? 410 : 200)(received, response, nth),
    );
    const hook = await told(receiver.url);
    await Promise.all([hook.house.contract(), hook.house.contract()]);
    await hook.send();
    expect(await webhookOf(hook)).toMatchObject({ status: 'quarantined', pending: 2 });
    const { sql } = hook.house.engine.database;
    expect(await sql`select 1 from events where type = 'webhook.quarantined'`).toHaveLength(1);
    await hook.hurry();
    await hook.send();
    expect(receiver.received).toHaveLength(2);
    await testWebhook(hook.house.engine, { caller: hook.house.owner }, { id: hook.id });
    await hook.send();
    expect(verified(receiver, hook.secret, 2)).toMatchObject({ type: 'webhook.test' });
    expect((await log(hook))[0]).toMatchObject({ eventType: 'webhook.test', state: 'delivered' });
  });

  it('of an address that is no longer allowed is not told', async () => {
    const receiver = await startReceiver(replyWith(200));
    const hook = await told(receiver.url);
    await hook.house.contract();
    const { engine } = hook.house;
    const stricter = { ...engine, settings: { ...engine.settings, webhookAllowedHosts: [] } };
    while ((await fanOutEvents(engine, { limit: 100 })) > 0);
    const caller = { kind: 'system', ownerId: hook.house.ownerId, name: 'x' } as const;
    await deliverDue(stricter, caller, hook.id, delivery());
    expect(receiver.connections).toBe(0);
    expect((await log(hook))[0]?.lastError).toContain('not sent');
  });
});

describe('ntfy', () => {
  it('is told what needs a person, with the token of its server and a link to the inbox', async () => {
    const receiver = await startReceiver(replyWith(200));
    const hook = await told(receiver.url, {
      kind: 'ntfy',
      topic: 'alerts',
      token: 'tk_abc',
      eventTypes: ['*'],
    });
    const { slug } = await hook.house.contract();
    await hook.send();
    const bodies = receiver.received.map((one) => JSON.parse(one.body) as Record<string, unknown>);
    expect(bodies).toContainEqual({
      topic: 'alerts',
      title: `${slug}: contract.created`,
      message: '',
      priority: 2,
      tags: [],
    });
    for (const { headers } of receiver.received) {
      expect(headers.authorization).toBe('Bearer tk_abc');
      expect(headers['webhook-signature']).toBeUndefined();
    }
  });
});

describe('the job', () => {
  it('fifty times at once is one message; of what is not there it does nothing', async () => {
    const receiver = await startReceiver(replyWith(200));
    const hook = await told(receiver.url);
    await hook.house.contract();
    while ((await fanOutEvents(hook.house.engine, { limit: 100 })) > 0);
    const { engine, ownerId } = hook.house;
    const run = schedulerHandlers(engine, placeOwner(engine))['deliver-notification'];
    const ticket = { v: jobVersion, ownerId, webhookId: hook.id } as const;
    await Promise.all(Array.from({ length: 50 }, () => run(ticket, delivery())));
    await run(ticket, delivery());
    await run({ ...ticket, webhookId: randomUUID() }, delivery());
    expect(receiver.received).toHaveLength(1);
  });

  it('says neither secret nor path in its log, and no job holds either', async () => {
    const receiver = await startReceiver(replyWith(200));
    const hook = await told(receiver.url);
    await hook.house.contract();
    while ((await fanOutEvents(hook.house.engine, { limit: 100 })) > 0);
    const context = delivery();
    const caller = { kind: 'system', ownerId: hook.house.ownerId, name: 'x' } as const;
    await deliverDue(hook.house.engine, caller, hook.id, context);
    const lines = JSON.stringify((context.log as unknown as { lines: unknown }).lines);
    expect(lines).toContain(`127.0.0.1:${receiver.port}`);
    const { sql } = hook.house.engine.database;
    const [row] = await sql`select coalesce(string_agg(payload::text, ''), '') as text from outbox`;
    for (const text of [lines, String(row?.['text'])]) {
      expect(text).not.toContain('whsec_');
      expect(text).not.toContain('/hook');
    }
  });
});
