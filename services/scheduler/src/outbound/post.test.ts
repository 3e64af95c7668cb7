/** One POST to an address that somebody typed: what it says of every way in which that can end. */
import { describe, expect, it } from 'vitest';
import {
  replyWith,
  selfSigned,
  startReceiver,
  type Receiver,
  type Reply,
} from '../test/receiver.ts';
import { post, type PostOptions } from './post.ts';

const here = ['127.0.0.1', 'localhost', 'hooks.makima.test'];

const send = (url: string, options: Partial<PostOptions> = {}) =>
  post({
    url,
    body: '{"a":"ä"}',
    headers: { 'webhook-id': 'msg_1' },
    allowedHosts: here,
    signal: new AbortController().signal,
    ...options,
  });

describe('an endpoint that answers', () => {
  it('has the body as it is, and its beginning of an answer is kept', async () => {
    const receiver = await startReceiver(replyWith(202, {}, `ok ${'x'.repeat(10_000)}`));
    const posted = await send(receiver.url);
    expect(posted).toMatchObject({ status: 202, error: null, retryAfterMs: null });
    expect(posted.answer).toHaveLength(2_048);
    expect(posted.durationMs).toBeGreaterThanOrEqual(0);
    expect(receiver.received).toMatchObject([
      {
        path: '/hook',
        body: '{"a":"ä"}',
        headers: {
          'content-type': 'application/json',
          'content-length': '10',
          'webhook-id': 'msg_1',
          host: `127.0.0.1:${receiver.port}`,
        },
      },
    ]);
  });

  it.each([500, 404, 410, 429])('with %i is told by its status', async (status) => {
    const receiver = await startReceiver(replyWith(status, { 'retry-after': '7' }));
    expect(await send(receiver.url)).toMatchObject({ status, retryAfterMs: 7_000 });
  });

  it.each([301, 302, 307, 308])('with %i leads nowhere', async (status) => {
    const target = await startReceiver(replyWith(200));
    const receiver = await startReceiver(replyWith(status, { location: target.url }));
    expect(await send(receiver.url)).toMatchObject({ status });
    expect(target.connections).toBe(0);
  });

  it('slowly, or without an end, has answered', async () => {
    const trickle: Reply = (_received, response) => {
      response.writeHead(200);
      response.write('so far');
    };
    const receiver = await startReceiver(trickle);
    expect(await send(receiver.url)).toMatchObject({ status: 200, answer: 'so far' });
    const flood: Reply = (_received, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (response.write('y'.repeat(65_536)));
        response.once('drain', more);
      };
      more();
    };
    const flooding = await startReceiver(flood);
    expect((await send(flooding.url)).answer).toBe('y'.repeat(2_048));
  });

  it('and breaks off has answered', async () => {
    const cut: Reply = (_received, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    };
    const receiver = await startReceiver(cut);
    expect(await send(receiver.url)).toMatchObject({ status: 200, answer: 'half' });
  });
});

describe('an endpoint that does not answer', () => {
  const silent: Reply = () => undefined;

  it('is waited for so long and no longer', async () => {
    const receiver = await startReceiver(silent);
    expect(await send(receiver.url, { limitMs: 200 })).toMatchObject({
      status: null,
      error: 'no answer within 200 ms',
    });
  });

  it('is left when makima stops', async () => {
    const receiver = await startReceiver(silent);
    const stop = new AbortController();
    const sending = send(receiver.url, { signal: stop.signal });
    await receiver.came(1);
    stop.abort();
    expect(await sending).toMatchObject({ error: 'makima stopped before an answer came' });
  });

  it('because nobody listens, or it hangs up, is told with the code', async () => {
    const gone = await startReceiver((_received, response) => void response.destroy());
    expect((await send(gone.url)).error).toMatch(/ECONNRESET|socket hang up/);
    expect((await send('http://127.0.0.1:9/')).error).toContain('ECONNREFUSED');
  });

  it('because its name is known to nobody, or not in time, is told', async () => {
    const unknown = await send('https://nowhere.invalid/', {
      resolve: () =>
        Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })),
    });
    expect(unknown.error).toBe('ENOTFOUND: no such name');
    const never = await send('https://nowhere.invalid/', {
      limitMs: 50,
      resolve: () => new Promise(() => undefined),
    });
    expect(never.error).toBe('no answer within 50 ms');
    const none = await send('https://nowhere.invalid/', { resolve: async () => [] });
    expect(none.error).toBe('not sent: nowhere.invalid has no address');
  });

  it('sends headers without an end', async () => {
    const receiver = await startReceiver(replyWith(200, { 'x-much': 'x'.repeat(30_000) }));
    expect((await send(receiver.url)).error).toContain('HPE_HEADER_OVERFLOW');
  });
});

describe('TLS', () => {
  it('with a certificate that nobody has signed is refused, and nothing is sent', async () => {
    const receiver = await startReceiver(replyWith(200), selfSigned);
    const posted = await send(receiver.url);
    expect(posted).toMatchObject({ status: null });
    expect(posted.error).toMatch(/DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED/);
    expect(receiver.received).toEqual([]);
  });

  it('that is none is refused', async () => {
    const receiver = await startReceiver(replyWith(200));
    const posted = await send(receiver.url.replace('http:', 'https:'));
    expect(posted.error).toMatch(/SSL|EPROTO/);
  });
});

describe('an address that is not public', () => {
  const to = async (receiver: Receiver, host: string, options: Partial<PostOptions> = {}) => {
    const posted = await send(`https://${host}:${receiver.port}/`, {
      allowedHosts: [],
      ...options,
    });
    expect(posted).toMatchObject({ status: null });
    expect(receiver.connections).toBe(0);
    return posted.error;
  };

  it('is not spoken to, however it is written', async () => {
    const receiver = await startReceiver(replyWith(200));
    for (const host of [
      '127.0.0.1',
      'localhost',
      '[::1]',
      '0x7f.1',
      '2130706433',
      '[::ffff:127.0.0.1]',
    ])
      expect(await to(receiver, host)).toContain('not sent');
    expect((await send(receiver.url, { allowedHosts: [] })).error).toContain('must be https');
    expect(receiver.connections).toBe(0);
  });

  it('is not spoken to behind a name, nor beside a public one', async () => {
    const receiver = await startReceiver(replyWith(200));
    const answers = (...addresses: string[]) => ({
      resolve: async () => addresses.map((address) => ({ address, family: 4 })),
    });
    expect(await to(receiver, 'hooks.example.com', answers('127.0.0.1'))).toBe(
      'not sent: hooks.example.com is 127.0.0.1, which is not a public address',
    );
    expect(await to(receiver, 'hooks.example.com', answers('8.8.8.8', '10.0.0.1'))).toContain(
      '10.0.0.1',
    );
    expect(await to(receiver, 'hooks.example.com', answers('169.254.169.254'))).toContain(
      'not sent',
    );
  });

  it('of an allowed name is spoken to, at the address that was looked at, resolved once', async () => {
    const receiver = await startReceiver(replyWith(200), selfSigned);
    let asked = 0;
    const posted = await send(`https://hooks.makima.test:${receiver.port}/`, {
      resolve: async () => {
        asked += 1;
        // A second look would lead elsewhere.
        return [{ address: asked === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }];
      },
    });
    // It got as far as the certificate of exactly that server.
    expect(posted.error).toMatch(/SELF_SIGNED/);
    expect([asked, receiver.connections]).toEqual([1, 1]);
  });

  it('over http is this machine and nothing else, even where it is allowed', async () => {
    const elsewhere = await send('http://localhost:9/', {
      resolve: async () => [{ address: '10.0.0.1', family: 4 }],
    });
    expect(elsewhere.error).toBe('not sent: localhost is 10.0.0.1, which is not a public address');
  });
});
