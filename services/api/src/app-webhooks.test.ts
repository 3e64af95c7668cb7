/** Webhooks over HTTP: the whole life of one, and what is wrong said with a code. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './testing/test-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

const base = '/api/v1/webhooks';
const send = (method: string, path: string, body?: object) =>
  api.send(method, `${base}${path}`, { key: api.ownerKey, body });
const url = 'https://hooks.example.com/makima';

describe('a webhook', () => {
  it('is made, seen, changed, rotated, tested, read, replayed, disabled and deleted', async () => {
    const made = await send('POST', '', { url, eventTypes: ['contract.failed'] });
    expect(made).toMatchObject({
      status: 201,
      json: { secret: expect.stringMatching(/^whsec_/), webhook: { status: 'active', url } },
    });
    const { id } = made.json.webhook;
    expect((await send('GET', `/${id}`)).json).toEqual(made.json.webhook);
    expect((await send('GET', '')).json.items.map((one: { id: string }) => one.id)).toContain(id);
    const changed = await send('PATCH', `/${id}`, { name: 'ops', expectedVersion: 1 });
    expect(changed).toMatchObject({ status: 200, json: { name: 'ops', version: 2 } });
    const rotated = await send('POST', `/${id}/rotate`, {});
    expect(rotated.json.secret).not.toBe(made.json.secret);
    expect(rotated.json.webhook.secrets).toHaveLength(2);
    const test = await send('POST', `/${id}/test`);
    expect(test).toMatchObject({
      status: 201,
      json: { eventType: 'webhook.test', state: 'pending', eventId: null },
    });
    const list = await send('GET', `/${id}/deliveries?state=pending`);
    expect(list.json.items).toMatchObject([{ id: test.json.id }]);
    const one = await send('GET', `/${id}/deliveries/${test.json.id}`);
    expect(one.json).toMatchObject({
      url,
      tried: [],
      body: expect.stringContaining('webhook.test'),
    });
    const again = await send('POST', `/${id}/deliveries/${test.json.id}/replay`);
    expect(again).toMatchObject({ status: 409, json: { code: 'CONFLICT' } });
    const replayed = await send('POST', `/${id}/replay`, { since: '2026-01-01T00:00:00Z' });
    expect(replayed).toMatchObject({ status: 200, json: { id, deliveries: 0 } });
    expect((await send('PATCH', `/${id}`, { enabled: false })).json.status).toBe('disabled');
    expect((await send('POST', `/${id}/replay`, { since: '2026-01-01T00:00:00Z' })).status).toBe(
      409,
    );
    expect((await send('DELETE', `/${id}`)).json).toEqual({ id, deleted: true });
    expect((await send('GET', `/${id}`)).status).toBe(404);
  });

  it('shows its secret only where it is made, whatever is asked for and however often', async () => {
    const made = await api.send('POST', base, {
      key: api.ownerKey,
      body: { url },
      headers: { 'idempotency-key': 'webhook-1' },
    });
    const { id } = made.json.webhook;
    const secret = made.json.secret as string;
    for (const path of ['', `/${id}`, `/${id}/deliveries`])
      expect((await send('GET', path)).text).not.toContain('whsec_');
    const events = await api.send('GET', '/api/v1/events?limit=200', { key: api.ownerKey });
    expect(events.text).toContain('webhook.created');
    expect(events.text).not.toContain(secret.slice(6));
  });
});

describe('what is wrong', () => {
  it.each([
    [{ url: 'http://hooks.example.com/' }, 400, 'VALIDATION_FAILED'],
    [{ url: 'https://169.254.169.254/latest/meta-data' }, 400, 'VALIDATION_FAILED'],
    [{ url: 'https://user:pw@hooks.example.com/' }, 400, 'VALIDATION_FAILED'],
    [{ url: 'file:///etc/passwd' }, 400, 'VALIDATION_FAILED'],
    [{ url, eventTypes: ['no.such'] }, 400, 'VALIDATION_FAILED'],
    [{ url, kind: 'ntfy' }, 400, 'VALIDATION_FAILED'],
    [{ url, kind: 'ntfy', topic: '../x' }, 400, 'VALIDATION_FAILED'],
    [{ url, secret: 'mine' }, 400, 'VALIDATION_FAILED'],
    [{ url, contractIds: ['00000000-0000-7000-8000-000000000000'] }, 404, 'CONTRACT_NOT_FOUND'],
  ])('%j is answered with %i %s', async (body, status, code) => {
    expect(await send('POST', '', body)).toMatchObject({ status, json: { code } });
  });

  it('is a version that is old, and a rotation of what signs nothing', async () => {
    const { json } = await send('POST', '', { url });
    const stale = await send('PATCH', `/${json.webhook.id}`, { name: 'x', expectedVersion: 9 });
    expect(stale).toMatchObject({
      status: 409,
      json: { code: 'VERSION_CONFLICT', details: { expected: 9, actual: 1 } },
    });
    const phone = await send('POST', '', { url: 'https://ntfy.sh', kind: 'ntfy', topic: 'mine' });
    expect(phone.json.secret).toBeNull();
    const rotated = await send('POST', `/${phone.json.webhook.id}/rotate`, {});
    expect(rotated).toMatchObject({ status: 409, json: { code: 'CONFLICT' } });
  });
});
