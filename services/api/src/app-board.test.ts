/** The board of queues: for owners only, by header or by a cookie that opens nothing else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './testing/test-api.ts';
import { joinMachine, personKey, startedContract } from './testing/test-house.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

const board = '/admin/queues';

async function cookieOf(key: string): Promise<string> {
  const answer = await api.send('POST', '/admin/session', { body: { key } });
  expect(answer.status).toBe(200);
  expect(answer.text).not.toContain(key);
  const header = answer.headers['set-cookie']?.[0] ?? '';
  expect(header).toMatch(
    /^makima_admin=[\w-]+; Path=\/admin; Max-Age=3600; HttpOnly; SameSite=Strict$/,
  );
  return header.split(';')[0] ?? '';
}

describe('the board', () => {
  it('shows itself to an owner’s key', async () => {
    const page = await api.send('GET', board, { key: api.ownerKey });
    expect(page.status).toBe(200);
    expect(page.text).toContain('makima queues');
    expect(page.text).not.toMatch(/(?:src|href)="https?:/);
    const policy = String(page.headers['content-security-policy']);
    expect(policy).not.toMatch(/https?:|\*/);
    const queues = await api.send('GET', `${board}/api/queues`, { key: api.ownerKey });
    expect(queues.json.queues.map((queue: { name: string }) => queue.name)).toContain(
      'mk1-spawn-task',
    );
    const script = /src="(static\/[^"]+)"/.exec(page.text)?.[1] ?? '';
    expect((await api.send('GET', `${board}/${script}`, { key: api.ownerKey })).status).toBe(200);
  });

  it('asks a browser for a key, and lets it in with the cookie that the key gives', async () => {
    const asked = await api.send('GET', board, { headers: { accept: 'text/html' } });
    expect(asked.status).toBe(401);
    expect(asked.text).toContain('<form>');
    expect(String(asked.headers['content-security-policy'])).toMatch(/script-src 'sha256-/);
    const cookie = await cookieOf(api.ownerKey);
    expect((await api.send('GET', board, { headers: { cookie } })).status).toBe(200);
    expect((await api.send('GET', `${board}/api/queues`, { headers: { cookie } })).status).toBe(
      200,
    );
  });

  it('has a cookie that opens no other door', async () => {
    const cookie = await cookieOf(api.ownerKey);
    for (const path of [
      '/api/v1/contracts',
      '/api/v1/keys',
      '/admin/session',
      '/Admin/queues',
      '/admin/queuesx',
    ]) {
      expect((await api.send('GET', path, { headers: { cookie } })).status, path).toBe(401);
    }
    const forwarded = { cookie, 'x-forwarded-for': '203.0.113.9' };
    expect((await api.send('GET', '/metrics', { headers: forwarded })).status).toBe(401);
    for (const forged of [
      `${cookie}x`,
      cookie.slice(0, -4),
      'makima_admin=',
      `makima_admin=${api.ownerKey}`,
    ]) {
      expect((await api.send('GET', board, { headers: { cookie: forged } })).status).toBe(401);
    }
  });

  it('ends with the key', async () => {
    const made = await api.send('POST', '/api/v1/keys', {
      key: api.ownerKey,
      body: { name: 'board', scopes: ['read', 'write', 'owner'] },
    });
    const cookie = await cookieOf(made.json.key);
    expect((await api.send('GET', board, { headers: { cookie } })).status).toBe(200);
    await api.send('DELETE', `/api/v1/keys/${made.json.info.id}`, { key: api.ownerKey });
    expect((await api.send('GET', board, { headers: { cookie } })).status).toBe(401);
    const goodbye = await api.send('DELETE', '/admin/session');
    expect(goodbye.headers['set-cookie']?.[0]).toContain('Max-Age=0');
  });

  it('is nobody else’s', async () => {
    const machine = await joinMachine(api);
    const { supervisorKey } = await startedContract(api, machine);
    const member = await personKey(api.engine, {
      ownerId: api.ownerId,
      role: 'member',
      scopes: ['read', 'write', 'owner'],
    });
    for (const key of [member, supervisorKey, machine.key]) {
      expect((await api.send('GET', board, { key })).status).toBe(403);
      expect((await api.send('GET', `${board}/api/queues`, { key })).status).toBe(403);
      expect((await api.send('POST', '/admin/session', { body: { key } })).status).toBe(403);
    }
    const basic = {
      authorization: `Basic ${Buffer.from(`owner:${api.ownerKey}`).toString('base64')}`,
    };
    expect((await api.send('GET', board, { headers: basic })).status).toBe(401);
    expect((await api.send('POST', '/admin/session', { body: {} })).status).toBe(400);
    expect((await api.send('POST', '/admin/session', { body: { key: 'x', more: 1 } })).status).toBe(
      400,
    );
    expect(
      (await api.send('POST', '/admin/session', { body: { key: 'mk_user_wrong' } })).status,
    ).toBe(401);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect(
      (await api.send('POST', '/admin/session', { raw: `key=${api.ownerKey}`, headers: form }))
        .status,
    ).toBe(415);
  });

  it('shows and does not act', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await api.send(method, `${board}/api/queues/mk1-spawn-task/clean/completed`, {
        key: api.ownerKey,
      });
      expect(answer.status, method).toBe(405);
    }
  });
});
