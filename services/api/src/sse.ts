/**
 * Writes server-sent events at the pace of their reader.
 *
 * Law: one chunk is made at a time, and only when the one before has left; a reader that takes nothing for
 * 15 s is told to resync and cut. A comment every 15 s tells both ends that the other is there.
 */
import type { Socket } from 'node:net';

export interface StreamChunk {
  readonly id?: string | undefined;
  readonly event?: string;
  readonly data?: string;
  readonly comment?: string;
  readonly retryMs?: number;
  /** Nothing new: at most a heartbeat is written. */
  readonly idle?: true;
}

export interface StreamOptions {
  /** Cut when its reader is stuck. */
  readonly socket: Pick<Socket, 'destroy'>;
  readonly onEnd: () => void;
  readonly heartbeatMs?: number;
  readonly stuckMs?: number;
}

const encoder = new TextEncoder();

/** A response whose body follows the source. `onEnd` is called once, however it ends. */
export function eventStream(source: AsyncGenerator<StreamChunk>, options: StreamOptions): Response {
  const heartbeatMs = options.heartbeatMs ?? 15_000;
  const stuckMs = options.stuckMs ?? 15_000;
  let lastWriteMs = performance.now();
  let stuck: NodeJS.Timeout | undefined;
  let ended = false;

  const finish = (): void => {
    clearTimeout(stuck);
    if (ended) return;
    ended = true;
    options.onEnd();
    void source.return(undefined).catch(() => undefined);
  };
  const nextText = async (): Promise<string | undefined> => {
    for (;;) {
      const { done, value } = await source.next();
      if (done === true) return undefined;
      if (value.idle !== true) return textOf(value);
      if (performance.now() - lastWriteMs >= heartbeatMs) return ': beat\n\n';
    }
  };
  const cut = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    // What it reads last, if it ever reads again, tells it to go on from the last id that it has seen.
    controller.enqueue(encoder.encode('event: resync\ndata: {"reason":"too slow"}\n\n'));
    controller.close();
    finish();
    setTimeout(() => options.socket.destroy(), 1_000).unref();
  };
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        clearTimeout(stuck);
        try {
          const text = await nextText();
          if (ended) return;
          if (text === undefined) {
            controller.close();
            return finish();
          }
          lastWriteMs = performance.now();
          stuck = setTimeout(() => cut(controller), stuckMs);
          controller.enqueue(encoder.encode(text));
        } catch {
          // The store went away: the reader connects again and goes on from its last id.
          if (!ended) controller.close();
          finish();
        }
      },
      cancel: finish,
    },
    { highWaterMark: 1 },
  );
  return new Response(body, {
    status: 200,
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    },
  });
}

function textOf(chunk: StreamChunk): string {
  let text = '';
  if (chunk.retryMs !== undefined) text += `retry: ${chunk.retryMs}\n`;
  if (chunk.comment !== undefined) text += `: ${chunk.comment}\n`;
  if (chunk.id !== undefined) text += `id: ${chunk.id}\n`;
  if (chunk.event !== undefined) text += `event: ${chunk.event}\n`;
  // JSON has no raw line breaks, so one data line is enough.
  if (chunk.data !== undefined) text += `data: ${chunk.data}\n`;
  return `${text}\n`;
}
