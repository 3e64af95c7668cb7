/** Events by page, by waiting page and by stream: the same events, once each, through any break. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { open, startTestApi, type TestApi } from './testing/test-api.ts';
import { strangerKey } from './testing/test-house.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

interface Told {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** The events of a stream, one by one. */
async function* told(stream: IncomingMessage): AsyncGenerator<Told> {
  let text = '';
  for await (const part of stream) {
    text += String(part);
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = Object.fromEntries(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      text = text.slice(end + 2);
      if (fields['data'] !== undefined)
        yield { id: fields['id'] ?? '', event: fields['event'] ?? '', data: fields['data'] };
    }
  }
}

function listen(query: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return open(api.port, 'GET', `/api/v1/events${query}`, {
    key: api.ownerKey,
    headers: { accept: 'text/event-stream', ...headers },
  });
}

/** Something that makes an event: a key. */
async function happen(name: string): Promise<void> {
  expect(
    (await api.send('POST', '/api/v1/keys', { key: api.ownerKey, body: { name } })).status,
  ).toBe(201);
}

const page = (query: string, key = api.ownerKey) =>
  api.send('GET', `/api/v1/events${query}`, { key });

describe('events', () => {
  it('come in pages that follow one another without a gap', async () => {
    for (let i = 0; i < 5; i++) await happen(`page ${i}`);
    const all = (await page('')).json.items as { id: string }[];
    const ids: string[] = [];
    let cursor = '';
    for (;;) {
      const { json } = await page(`?limit=2${cursor === '' ? '' : `&after=${cursor}`}`);
      ids.push(...json.items.map((item: { id: string }) => item.id));
      cursor = json.cursor;
      if (json.nextCursor === null) break;
    }
    expect(ids).toEqual(all.map((item) => item.id));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('are waited for', async () => {
    const { cursor } = (await page('?after=now')).json;
    const waiting = page(`?after=${cursor}&wait=30`);
    await happen('waited for');
    const { json } = await waiting;
    expect(json.items).toMatchObject([{ type: 'key.created', data: { name: 'waited for' } }]);
    const empty = await page(`?after=${json.cursor}&wait=0`);
    expect(empty.json.items).toEqual([]);
  });

  it('stream as they happen and go on after a break where it was', async () => {
    const first = await listen('?after=now');
    expect(first.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    const events = told(first);
    await happen('one');
    const one = (await events.next()).value as Told;
    expect(one.event).toBe('key.created');
    expect(JSON.parse(one.data)).toMatchObject({
      type: 'key.created',
      data: { name: 'one' },
      v: 1,
    });
    first.destroy();
    await happen('two');
    await happen('three');
    const second = await listen('', { 'last-event-id': one.id });
    const names: string[] = [];
    for await (const each of told(second)) {
      names.push(JSON.parse(each.data).data.name);
      if (names.length === 2) break;
    }
    expect(names).toEqual(['two', 'three']);
  });

  it('of others are not told', async () => {
    const { key } = await strangerKey(api.engine);
    expect((await page('', key)).json.items).toEqual([]);
  });

  it('are not found behind a cursor that is none, or of another history', async () => {
    const { cursor } = (await page('?after=now')).json;
    const other = cursor.replace(/^[0-9a-f-]{36}/, '00000000-0000-4000-8000-000000000000');
    for (const bad of ['x', '1', `${cursor}x`, `${cursor}.1`, other, "'; drop table events --"]) {
      const answer = await page(`?after=${encodeURIComponent(bad)}`);
      expect(answer, bad).toMatchObject({ status: 400, json: { code: 'VALIDATION_FAILED' } });
      expect(answer.json.errors[0].pointer).toBe('/query/after');
      expect(answer.json.fix).toBeTruthy();
      expect((await listen('', { 'last-event-id': bad })).statusCode).toBe(400);
    }
    expect((await page(`?after=${other}`)).json.detail).toContain('restored');
  });

  it('are streamed to a bounded number of readers', async () => {
    const most = api.engine.limits.monitorSocketsPerOwnerMax;
    const open = await Promise.all(Array.from({ length: most }, () => listen('?after=now')));
    expect((await listen('?after=now')).statusCode).toBe(429);
    for (const each of open) each.destroy();
    await expect.poll(() => api.api.holds.size).toBe(0);
    const again = await listen('?after=now');
    expect(again.statusCode).toBe(200);
    again.destroy();
  });
});

it('a drain ends streams and waits with an answer, and takes nothing more', async () => {
  const leaving = await startTestApi();
  const stream = await open(leaving.port, 'GET', '/api/v1/events?after=now', {
    key: leaving.ownerKey,
    headers: { accept: 'text/event-stream' },
  });
  const ended = new Promise((resolve) => stream.resume().on('end', resolve));
  const { cursor } = (
    await leaving.send('GET', '/api/v1/events?after=now', { key: leaving.ownerKey })
  ).json;
  const waiting = leaving.send('GET', `/api/v1/events?after=${cursor}&wait=30`, {
    key: leaving.ownerKey,
  });
  await expect.poll(() => leaving.api.holds.size).toBe(3);
  const stopping = leaving.server.stop?.();
  expect(await waiting).toMatchObject({ status: 200, json: { items: [] } });
  await ended;
  await stopping;
  await expect(leaving.send('GET', '/livez')).rejects.toThrow('ECONNREFUSED');
  await leaving.stop();
});

it('a drain does not wait for connections on which nobody ever asked', async () => {
  const leaving = await startTestApi();
  const silent = connect(leaving.port, '127.0.0.1');
  await once(silent, 'connect');
  const closed = once(silent, 'close');
  silent.resume();
  // The answer to a later connection shows that the silent one was accepted.
  await leaving.send('GET', '/livez');
  const since = performance.now();
  await leaving.server.stop?.();
  await closed;
  expect(performance.now() - since).toBeLessThan(2_000);
  await leaving.stop();
});
