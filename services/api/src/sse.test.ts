/** A stream is written at the pace of its reader, beats while idle, and cuts who does not read. */
import { describe, expect, it } from 'vitest';
import { eventStream, type StreamChunk } from './sse.ts';

async function* of(...chunks: StreamChunk[]): AsyncGenerator<StreamChunk> {
  yield* chunks;
}

function stream(
  source: AsyncGenerator<StreamChunk>,
  times: { heartbeatMs?: number; stuckMs?: number } = {},
) {
  const ended = Promise.withResolvers<void>();
  const destroyed = Promise.withResolvers<void>();
  const socket = {
    destroy: () => {
      destroyed.resolve();
      return undefined as never;
    },
  };
  const response = eventStream(source, { socket, onEnd: () => ended.resolve(), ...times });
  return { response, ended: ended.promise, destroyed: destroyed.promise };
}

describe('server-sent events', () => {
  it('are written as the standard says', async () => {
    const { response, ended } = stream(
      of(
        { comment: 'hello', retryMs: 1_000 },
        { id: 'a.1.2', event: 'task.spawned', data: '{"x":1}' },
      ),
    );
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(await response.text()).toBe(
      'retry: 1000\n: hello\n\nid: a.1.2\nevent: task.spawned\ndata: {"x":1}\n\n',
    );
    await ended;
  });

  it('are made only when the ones before have left', async () => {
    let made = 0;
    async function* many(): AsyncGenerator<StreamChunk> {
      for (;;) {
        made += 1;
        yield { data: String(made) };
      }
    }
    const { response, ended } = stream(many());
    const reader = response.body?.getReader();
    for (let i = 0; i < 5; i++) await reader?.read();
    expect(made).toBeLessThan(9);
    await reader?.cancel();
    await ended;
  });

  it('beat while there is nothing to tell', async () => {
    async function* idle(): AsyncGenerator<StreamChunk> {
      for (let i = 0; i < 50; i++) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        yield { idle: true };
      }
    }
    const text = await stream(idle(), { heartbeatMs: 10 }).response.text();
    expect(text.split(': beat\n\n').length).toBeGreaterThan(1);
    expect(text.replaceAll(': beat\n\n', '')).toBe('');
  });

  it('end with a word about it when nobody reads them', async () => {
    async function* many(): AsyncGenerator<StreamChunk> {
      for (;;) yield { data: 'x' };
    }
    const { response, ended, destroyed } = stream(many(), { stuckMs: 20 });
    await ended;
    expect((await response.text()).endsWith('event: resync\ndata: {"reason":"too slow"}\n\n')).toBe(
      true,
    );
    await destroyed;
  });

  it('close when their source fails, so that the reader comes again', async () => {
    async function* broken(): AsyncGenerator<StreamChunk> {
      yield { data: '1' };
      throw new Error('the store is away');
    }
    const { response, ended } = stream(broken());
    expect(await response.text()).toBe('data: 1\n\n');
    await ended;
  });
});
