/**
 * The surface below the endpoints: names, origins, sizes, speeds, spellings of a key, and what every answer
 * carries.
 */
import { connect, type Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorCodes } from '@makima/domain/error';
import { startTestApi, type TestApi } from './testing/test-api.ts';
import { personKey } from './testing/test-house.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ times: { headersMs: 300, requestMs: 600, checkMs: 50 } });
});
afterAll(() => api.stop());

const contracts = '/api/v1/contracts';

describe('a name that is not ours', () => {
  it.each(['attacker.poc', 'attacker.poc:80', 'localhost.attacker.poc', '127.0.0.1.nip.io'])(
    'Host %s is misdirected, also on public routes and with a good key',
    async (host) => {
      for (const path of ['/livez', '/reference', contracts, '/admin', '/metrics']) {
        const answer = await api.send('GET', path, { key: api.ownerKey, headers: { host } });
        expect([400, 421], path).toContain(answer.status);
        expect(answer.headers['content-type']).toBe('application/problem+json');
      }
    },
  );
});

describe('a page that is not ours', () => {
  it.each([
    'null',
    'https://evil.tld',
    'http://localhost.evil.tld',
    'http://localhost:1',
    'chrome-extension://abc',
  ])('of origin %s may not call, and gets no CORS header', async (origin) => {
    const answers = [
      await api.send('GET', '/livez', { headers: { origin } }),
      await api.send('POST', contracts, { key: api.ownerKey, body: {}, headers: { origin } }),
      await api.send('OPTIONS', contracts, {
        headers: { origin, 'access-control-request-method': 'POST' },
      }),
    ];
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 403, json: { code: 'FORBIDDEN' } });
      expect(answer.json.fix).toMatch(/own address/);
      expect(
        Object.keys(answer.headers).filter((name) => name.startsWith('access-control')),
      ).toEqual([]);
    }
  });

  it('is refused too when it sends no Origin but the browser tells', async () => {
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };
    expect((await api.send('GET', '/livez', { headers })).status).toBe(403);
  });

  it('is not meant by our own pages, nor by a link that is followed', async () => {
    const own = { origin: api.url, 'sec-fetch-site': 'same-origin' };
    expect((await api.send('GET', '/livez', { headers: own })).status).toBe(200);
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect((await api.send('GET', '/reference', { headers: link })).status).toBe(200);
  });
});

describe('a key', () => {
  it('is refused in every spelling but one', async () => {
    const key = api.ownerKey;
    const spellings: Record<string, string | string[]>[] = [
      { authorization: `bearer ${key}` },
      { authorization: `BEARER ${key}` },
      { authorization: `Basic ${Buffer.from(`x:${key}`).toString('base64')}` },
      { authorization: `Basic ${key}` },
      { authorization: key },
      { authorization: `Bearer  ${key}` },
      { authorization: `Bearer ${key}, Bearer ${key}` },
      { authorization: [`Bearer ${key}`, `Bearer ${key}`] },
      { authorization: '' },
      { 'x-api-key': key },
      { cookie: `token=${key}` },
      { 'proxy-authorization': `Bearer ${key}` },
    ];
    for (const headers of spellings) {
      const answer = await api.send('GET', contracts, { headers });
      expect(answer, JSON.stringify(Object.keys(headers))).toMatchObject({ status: 401 });
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="makima"');
    }
    for (const name of ['token', 'key', 'access_token', 'authorization']) {
      expect((await api.send('GET', `${contracts}?${name}=${key}`)).status).toBe(401);
    }
    expect((await api.send('GET', '/api/v1/whoami', { key })).status).toBe(200);
  });

  it('that is wrong in any way reads the same', async () => {
    const key = api.ownerKey;
    const expired = await personKey(api.engine, {
      ownerId: api.ownerId,
      role: 'owner',
      scopes: ['read'],
    });
    await api.engine.database
      .sql`update keys set expires_at = clock() - interval '1 s' where id = ${idIn(expired)}`;
    const wrong = [
      `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`,
      key.slice(0, -5),
      `${key}A`,
      key.replace(/_[0-9a-f]{32}_/, `_${randomUUID().replaceAll('-', '')}_`),
      expired,
      'mk_user_',
    ];
    const bodies = await Promise.all(
      wrong.map((each) => api.send('GET', contracts, { key: each })),
    );
    for (const { status, json } of bodies) {
      expect(status).toBe(401);
      expect({ ...json, requestId: '' }).toEqual({ ...bodies[0]?.json, requestId: '' });
    }
  });

  it('never stands in the log', () => {
    const text = JSON.stringify(api.log.lines);
    expect(text).not.toContain(api.ownerKey.slice(-20));
  });
});

describe('a body', () => {
  const post = (options: Parameters<TestApi['send']>[2]) =>
    api.send('POST', contracts, { key: api.ownerKey, ...options });

  it('is JSON and says so', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'application/jsonp',
      'text/json',
      '',
    ]) {
      const answer = await post({ raw: '{}', headers: { 'content-type': type } });
      expect(answer, type).toMatchObject({ status: 415, json: { code: 'UNSUPPORTED_MEDIA_TYPE' } });
    }
    expect(
      (await post({ raw: '{}', headers: { 'content-type': 'application/json; charset=utf-8' } }))
        .status,
    ).toBe(400);
  });

  it('comes uncompressed', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000, 0x20));
    for (const encoding of ['gzip', 'br', 'deflate', 'zstd', 'x']) {
      expect((await post({ raw: bomb, headers: { 'content-encoding': encoding } })).status).toBe(
        415,
      );
    }
  });

  it('is at most a megabyte, told or not', async () => {
    const told = await post({ raw: Buffer.alloc(1_048_577, 0x20) });
    expect(told).toMatchObject({
      status: 413,
      json: { code: 'PAYLOAD_TOO_LARGE', details: { limitBytes: 1_048_576 } },
    });
    const head = `POST ${contracts} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${api.ownerKey}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    const answer = await rawTalk(head, (socket) => {
      for (let i = 0; i < 40; i++) socket.write(chunk);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('is UTF-8, and broken JSON is shown where it breaks', async () => {
    expect((await post({ raw: Buffer.from([0x7b, 0xff, 0x7d]) })).json.errors).toEqual([
      { pointer: '', detail: 'is not valid UTF-8' },
    ]);
    expect((await post({ raw: '{\n  "name": x\n}' })).json.errors[0].detail).toBe(
      'is not JSON: line 2, column 11',
    );
    expect((await post({ raw: '{"a":1,"a":2}' })).json.errors[0].detail).toContain('twice');
  });

  it('that ends before its length is no request', async () => {
    const head = `POST ${contracts} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${api.ownerKey}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a"`;
    expect(await rawTalk(head)).toMatch(/^(?:HTTP\/1\.1 (?:408|400) |$)/);
  });
});

describe('a peer that is slow or loud', () => {
  it('is cut when its headers do not end', async () => {
    const answer = await rawTalk('GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: ');
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('application/problem+json');
  });

  it('is cut when its headers are too large', async () => {
    const answer = await rawTalk(
      `GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('PAYLOAD_TOO_LARGE');
  });

  it('gets an answer in words when it does not speak HTTP', async () => {
    expect(await rawTalk('\x16\x03\x01\x02\x00\x01\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(
      await rawTalk('GET http://[::1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'),
    ).toMatch(/^HTTP\/1\.1 40[04] /);
    expect(await rawTalk('GET /livez HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 4\d\d /,
    );
  });

  it('finds no socket to upgrade to', async () => {
    const answer = await rawTalk(
      'GET /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  });

  it('has a URL of at most 4 KiB', async () => {
    expect(
      (await api.send('GET', `${contracts}?after=${'a'.repeat(5_000)}`, { key: api.ownerKey }))
        .status,
    ).toBe(413);
  });
});

describe('every answer', () => {
  it('carries version, request id and the headers that keep a browser out', async () => {
    for (const [method, path] of [
      ['GET', '/livez'],
      ['GET', contracts],
      ['GET', '/nowhere'],
      ['GET', '/reference'],
      ['POST', '/mcp'],
    ] as const) {
      const { headers } = await api.send(method, path);
      expect(headers, path).toMatchObject({
        'makima-version': '0.0.0-test',
        'request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'content-security-policy': expect.stringContaining("default-src 'none'"),
      });
      expect(headers['cache-control'], path).toMatch(/no-store|no-cache/);
      expect(headers['x-powered-by'] ?? headers['server']).toBeUndefined();
    }
  });

  it('can be found in the log by its id, and tells nothing of the inside', async () => {
    const answer = await api.send('GET', '/nowhere', { key: api.ownerKey });
    const line = api.log.lines.find((each) => each['requestId'] === answer.headers['request-id']);
    expect(line).toMatchObject({ message: 'request', path: '/nowhere', status: 404 });
    expect(answer.text).not.toMatch(/at .*\.ts|node_modules|select |stack/i);
  });

  it('to a wrong path or method tells what there is', async () => {
    const key = api.ownerKey;
    expect((await api.send('GET', '/api/v1/contract', { key })).json).toMatchObject({
      code: 'NOT_FOUND',
      fix: 'did you mean GET /api/v1/contracts?',
    });
    const wrong = await api.send('PUT', contracts, { key });
    expect(wrong).toMatchObject({ status: 405, json: { code: 'METHOD_NOT_ALLOWED' } });
    expect(wrong.headers['allow']).toBe('POST, GET, HEAD');
  });

  it('to HEAD is that of GET without a body', async () => {
    const answer = await api.send('HEAD', '/livez');
    expect(answer).toMatchObject({ status: 200, text: '' });
  });
});

describe('the process', () => {
  it('tells that it is alive, ready, and what is missing', async () => {
    expect((await api.send('GET', '/livez')).json.ok).toBe(true);
    const ready = await api.send('GET', '/readyz');
    expect(ready).toMatchObject({ status: 200, json: { ok: true, degraded: [] } });
    expect(Object.keys(ready.json.checks)).toEqual(['postgres', 'owner', 'redis']);
  });

  it('shows its metrics to this machine, and to an owner from elsewhere', async () => {
    const here = await api.send('GET', '/metrics');
    expect(here.status).toBe(200);
    expect(here.text).toContain('makima_http_request_seconds');
    expect(here.text).not.toContain(api.ownerId);
    const through = { 'x-forwarded-for': '203.0.113.9' };
    expect((await api.send('GET', '/metrics', { headers: through })).status).toBe(401);
    expect(
      (await api.send('GET', '/metrics', { headers: through, key: api.ownerKey })).status,
    ).toBe(200);
    const member = await personKey(api.engine, {
      ownerId: api.ownerId,
      role: 'member',
      scopes: ['read', 'write'],
    });
    expect((await api.send('GET', '/metrics', { headers: through, key: member })).status).toBe(403);
  });
});

describe('the reference', () => {
  it('is whole and loads nothing from elsewhere', async () => {
    const page = await api.send('GET', '/reference');
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy.replaceAll(/'[^']*'|data:/g, '')).not.toMatch(/https?:|\*/);
    const files = [...page.text.matchAll(/(?:href|src)="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      expect(file).toMatch(/^\/reference\//);
      const loaded = await api.send('GET', file);
      expect(loaded.status, file).toBe(200);
      expect(loaded.headers['x-content-type-options']).toBe('nosniff');
    }
    const start = await api.send('GET', '/reference/start.js');
    expect(start.text).toContain("'/openapi.json'");
    expect(start.text).not.toMatch(/https?:/);
    expect((await api.send('GET', '/openapi.json')).json.openapi).toBe('3.1.0');
  });

  it('explains every code under the address that problems carry', async () => {
    const page = await api.send('GET', '/reference/problems');
    for (const code of errorCodes) expect(page.text).toContain(`<dt id="${code}">`);
    const problem = await api.send('GET', contracts);
    expect(problem.json.type).toBe('/reference/problems#UNAUTHENTICATED');
  });

  it('has no other file', async () => {
    for (const file of ['swagger-ui.js', 'package.json', 'constructor', '__proto__', 'toString']) {
      expect(
        (await api.send('GET', `/reference/${file}`, { key: api.ownerKey })).status,
        file,
      ).toBe(404);
    }
  });
});

it('outlives callers that ask for a socket where there is none and reset the connection', async () => {
  const upgrade =
    'GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const died: unknown[] = [];
  const onDeath = (error: unknown): void => void died.push(error);
  process.prependListener('uncaughtException', onDeath);
  try {
    for (let n = 0; n < 50; n++) await rawTalk(upgrade, (socket) => socket.resetAndDestroy());
    expect(await rawTalk(upgrade)).toContain('404');
  } finally {
    process.removeListener('uncaughtException', onDeath);
  }
  expect(died).toEqual([]);
});

/** Write bytes, read until the other side closes. */
function rawTalk(text: string, more?: (socket: Socket) => void): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(api.port, '127.0.0.1');
    let answer = '';
    socket.on('connect', () => {
      socket.write(text, 'latin1');
      more?.(socket);
    });
    socket.on('data', (part) => (answer += part.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}

function idIn(token: string): string {
  const hex = /_([0-9a-f]{32})_/.exec(token)?.[1] ?? '';
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
