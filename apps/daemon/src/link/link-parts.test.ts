/** The parts of the link alone: order, window, waiting. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { createAsks } from './asks.ts';
import { createHeart } from './heart.ts';
import { isLoopback, retryAfterMs, retryDelayMs } from './retry-delay.ts';
import { openSocket, parseFrame, type SocketEnd } from './socket.ts';

describe('the wait before the next connect', () => {
  it('is flat jitter under a cap that grows to 10 s, to 2 s on one machine', () => {
    for (const failures of [0, 1, 3, 5, 50]) {
      const cap = Math.min(10_000, 1_000 * 2 ** Math.min(failures, 10));
      expect(retryDelayMs({ failures, hintMs: null }, 0)).toBe(0);
      expect(retryDelayMs({ failures, hintMs: null }, 0.999)).toBeLessThanOrEqual(cap);
      expect(retryDelayMs({ failures, hintMs: null }, 0.999)).toBeGreaterThan(cap * 0.99 - 1);
    }
  });

  it('knows a gateway of this machine', () => {
    for (const host of ['localhost:1', '127.0.0.1:7401', '[::1]:5']) {
      expect(isLoopback(`ws://${host}/daemon`), host).toBe(true);
    }
    for (const host of ['127.0.0.1.evil.tld', 'localhost.evil.tld', '10.0.0.1', 'example.org']) {
      expect(isLoopback(`wss://${host}/daemon`), host).toBe(false);
    }
    expect(retryDelayMs({ failures: 9, hintMs: null, loopback: true }, 0.999)).toBe(1_998);
  });

  it('follows the hint of the server, within reason', () => {
    expect(retryDelayMs({ failures: 9, hintMs: 400 }, 0)).toBe(400);
    expect(retryDelayMs({ failures: 9, hintMs: 0 }, 0.9)).toBe(0);
    expect(retryDelayMs({ failures: 0, hintMs: 1e9 }, 0)).toBe(300_000);
    expect(retryDelayMs({ failures: 0, hintMs: null, replaced: true }, 0)).toBe(20_000);
    expect(retryAfterMs('2')).toBe(2_000);
    for (const header of [undefined, '', 'soon', '-1', '1e9']) {
      expect(retryAfterMs(header)).toBeNull();
    }
  });
});

describe('the pulse of a socket', () => {
  it('ends it when nobody is there any more, and not while somebody is', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const gone = Promise.withResolvers<SocketEnd>();
    let isOver = false;
    openSocket(
      { url: `ws://127.0.0.1:${port}`, key: 'k', pulseMs: 10 },
      {
        opened: () => {},
        frame: () => {},
        unknown: () => {},
        ended(end) {
          isOver = true;
          gone.resolve(end);
        },
      },
    );
    const [there] = (await once(server, 'connection')) as [WebSocket];
    for (let pings = 0; pings < 4; pings += 1) await once(there, 'ping');
    expect(isOver).toBe(false);
    // As a connection that a router forgot: nothing that is sent is read, and nobody says so.
    there.pause();
    expect(await gone.promise).toMatchObject({ opened: true, reason: 'no sign of life' });
    there.terminate();
    server.close();
  });
});

describe('an ask', () => {
  it('is refused by a no alone; whoever is asked may be away for a while', async () => {
    const asks = createAsks({ send: () => true, newId: () => 'a', timeoutMs: 60_000 });
    const answer = { type: 'answer', askId: 'a', ok: false, result: null, error: 'why' } as const;
    const question = { kind: 'tool-key', taskId: 't', attempt: 1 } as const;
    const refused = asks.ask(question);
    asks.answered(answer);
    await expect(refused).rejects.toMatchObject({ code: 'COMMAND_FAILED', retryable: false });
    const away = asks.ask(question);
    asks.answered({ ...answer, retryable: true });
    await expect(away).rejects.toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE', retryable: true });
  });
});

describe('a heartbeat', () => {
  it('counts from when the answered beat was sent, and only the answered one', () => {
    const heart = createHeart();
    const [first, second] = [heart.beat(100), heart.beat(200)];
    expect(heart.silentFor(450)).toBe(350);
    expect(heart.answered(second)).toBe(200);
    expect(heart.answered(first)).toBeNull();
    expect(heart.answered(second)).toBeNull();
    expect(heart.answered(99)).toBeNull();
    expect(heart.silentFor(1_000)).toBe(0);
    heart.beat(1_000);
    heart.reset();
    expect(heart.silentFor(9_000)).toBe(0);
  });
});

describe('a frame', () => {
  it('is one of ours or nothing', () => {
    const frame = { type: 'goaway', afterMs: 5 };
    expect(parseFrame(JSON.stringify(frame))).toEqual({ frame, unknown: [] });
    for (const text of ['', '{', '5', '{"type":"goaway"}', '{"type":"other"}']) {
      expect(parseFrame(text), text).toBeNull();
    }
  });

  it('of a newer gateway is read without what is not known here, and must fit without it', () => {
    const fence = { taskId: randomUUID(), attempt: 1 };
    const stop = { kind: 'task.stop', ...fence, reason: 'paused', graceMs: 600 };
    const newer = {
      type: 'commands',
      after: 0,
      hurry: true,
      commands: [
        { seq: 1, command: { ...stop, gently: { ever: [1] } } },
        { seq: 2, since: 'now', command: stop },
      ],
    };
    expect(parseFrame(JSON.stringify(newer))).toEqual({
      frame: {
        type: 'commands',
        after: 0,
        commands: [
          { seq: 1, command: stop },
          { seq: 2, command: stop },
        ],
      },
      unknown: ['commands.0.command.gently', 'commands.1.since', 'hurry'],
    });
    const wrong = { ...newer, commands: [{ seq: 1, command: { ...stop, graceMs: 'x' } }] };
    expect(parseFrame(JSON.stringify(wrong))).toBeNull();
    const other = { ...newer, commands: [{ seq: 1, command: { ...stop, kind: 'task.freeze' } }] };
    expect(parseFrame(JSON.stringify(other))).toBeNull();
    const names = '{"type":"goaway","afterMs":5,"__proto__":{"polluted":1},"constructor":{}}';
    expect(parseFrame(names)?.frame).toEqual({ type: 'goaway', afterMs: 5 });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
