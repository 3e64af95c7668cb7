/** The scheduler dies between telling an endpoint and writing that it did: it is told again, under the same id. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Webhook } from 'standardwebhooks';
import { createWebhook } from '@makima/engine/webhook/create';
import { getDelivery, listDeliveries } from '@makima/engine/webhook/get';
import { startProcess } from '@makima/runtime/test-process';
import { eventually, onEnd, testHouse, testStores } from '../test/kit.ts';
import { replyWith, selfSigned, startReceiver } from '../test/receiver.ts';

const main = join(import.meta.dirname, '..', 'main.ts');
/** The dead worker's ticket is taken up when the queue calls it stalled, 15 s later: a test is over after that. */
const patienceMs = 60_000;

it(
  'killed after the effect and before the write, it delivers once more, over TLS, and once only',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'makima-webhook-'));
    onEnd(() => rmSync(folder, { recursive: true }));
    const trusted = join(folder, 'trusted.pem');
    writeFileSync(trusted, selfSigned.cert);
    const stores = await testStores();
    const start = (race: string) => {
      const child = startProcess(main, {
        DATABASE_URL: stores.databaseUrl,
        REDIS_URL: stores.redisUrl,
        MAKIMA_WEBHOOK_ALLOWED_HOSTS: '127.0.0.1',
        NODE_EXTRA_CA_CERTS: trusted,
        MAKIMA_RACE: race,
      });
      onEnd(() => child.stop());
      return child;
    };
    const house = await testHouse(stores.databaseUrl, { webhookAllowedHosts: ['127.0.0.1'] });
    const receiver = await startReceiver(replyWith(200), selfSigned);
    const { engine, owner } = house;
    const { result } = await createWebhook(
      engine,
      { caller: owner },
      { kind: 'webhook', url: receiver.url, eventTypes: ['contract.created'], contractIds: [] },
    );
    const { id } = result.webhook;
    await house.contract();

    const first = start('webhook.after_send=crash');
    expect(await first.ended).toBe(137);
    expect(receiver.received).toHaveLength(1);
    const log = async () => (await listDeliveries(engine, owner, { id, limit: 5 })).items;
    expect(await log()).toMatchObject([{ state: 'pending', tries: 1 }]);

    // What the dead one held is free when its lease is over: a minute later by the clock of the store.
    const { sql } = engine.database;
    const [name] = await sql<{ name: string }[]>`select current_database() as name`;
    await sql.unsafe(`alter database "${name?.name}" set makima.clock_offset = '2 minutes'`);
    const second = start('');
    await eventually(async () => (await log())[0]?.state === 'delivered');
    await second.line('webhook told');
    expect(receiver.received).toHaveLength(2);
    const [before, after] = receiver.received;
    expect(after?.headers['webhook-id']).toBe(before?.headers['webhook-id']);
    expect(after?.body).toBe(before?.body);
    const [one] = await log();
    const detail = await getDelivery(engine, owner, { id, deliveryId: one?.id ?? '' });
    expect(detail.tried).toMatchObject([
      { attempt: 1, endedAt: null, status: null },
      { attempt: 2, status: 200 },
    ]);
    const headers = after?.headers as Record<string, string>;
    // Signed by the store's clock, which this test has moved.
    const at = new Date(Number(headers['webhook-timestamp']) * 1_000);
    const hook = new Webhook(result.secret ?? '');
    expect(headers['webhook-signature']).toBe(
      hook.sign(headers['webhook-id'] ?? '', at, after?.body ?? ''),
    );
  },
  patienceMs,
);
