/**
 * Lines to a file descriptor without blocking the event loop, and a synchronous end with a time limit.
 * A pipe that nobody reads must neither stop a service nor grow its memory.
 *
 * Law: at most `maxPendingBytes` wait; what comes on top is counted and told of in a line of its own.
 */
import { write, writeSync } from 'node:fs';

export interface LineSink {
  write(line: string): void;
  /** Write what waits, synchronously, for at most `flushMs`; what does not fit in that time is lost. */
  flush(flushMs: number): void;
}

export interface LineSinkOptions {
  readonly fd: number;
  readonly maxPendingBytes?: number;
}

interface Chunk {
  rest: Buffer;
  readonly sinceMs: number;
  /** The descriptor took nothing of it (EAGAIN): it waits here and not in the kernel. */
  refused: boolean;
}

/** A write that hangs this long has a reader that stopped: a synchronous write would hang as well. */
const stuckAfterMs = 100;
const retryMs = 10;
const landMs = 20;

/** A sink on an open file descriptor (1 = standard output). Lines of one turn of the loop go out together. */
export function lineSink(options: LineSinkOptions): LineSink {
  const maxPendingBytes = options.maxPendingBytes ?? 8 * 1024 * 1024;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let droppedLines = 0;
  let flying: Chunk | undefined;
  let scheduled = false;

  const pump = (): void => {
    scheduled = false;
    if (flying !== undefined || pending.length === 0) return;
    const chunk = { rest: Buffer.concat(pending), sinceMs: performance.now(), refused: false };
    flying = chunk;
    pending = [];
    writeOn(options.fd, chunk, (doneBytes) => {
      if (flying !== chunk) return; // a flush took it over
      pendingBytes -= doneBytes;
      if (chunk.rest.length > 0) return;
      flying = undefined;
      pump();
    });
  };
  const push = (line: string): void => {
    const bytes = Buffer.from(line);
    pending.push(bytes);
    pendingBytes += bytes.length;
  };

  return {
    write(line) {
      if (pendingBytes > maxPendingBytes) {
        droppedLines += 1;
        return;
      }
      if (droppedLines > 0) {
        push(`${JSON.stringify({ level: 'warn', droppedLines, message: 'log lines dropped' })}\n`);
        droppedLines = 0;
      }
      push(line);
      if (scheduled) return;
      scheduled = true;
      setImmediate(pump);
    },
    flush(flushMs) {
      const waiting = pending;
      pending = [];
      if (flying?.refused) {
        waiting.unshift(flying.rest);
        flying.rest = Buffer.alloc(0);
        flying = undefined;
      }
      pendingBytes = flying?.rest.length ?? 0;
      if (flying !== undefined) {
        if (performance.now() - flying.sinceMs > stuckAfterMs) return;
        pauseThread(landMs); // the write in flight lands first, so that lines stay in order
      }
      writeWithin(options.fd, Buffer.concat(waiting), flushMs);
    },
  };
}

/** Write a chunk piece by piece; tells after each how many bytes are done with. */
function writeOn(fd: number, chunk: Chunk, landed: (doneBytes: number) => void): void {
  if (chunk.rest.length === 0) return;
  chunk.refused = false;
  write(fd, chunk.rest, 0, chunk.rest.length, null, (error, written) => {
    if (error?.code === 'EAGAIN') {
      chunk.refused = true;
      setTimeout(() => writeOn(fd, chunk, landed), retryMs).unref();
      return;
    }
    // A closed pipe takes nothing any more: let it go, the service goes on.
    const doneBytes = error ? chunk.rest.length : written;
    chunk.rest = chunk.rest.subarray(doneBytes);
    landed(doneBytes);
    writeOn(fd, chunk, landed);
  });
}

function writeWithin(fd: number, bytes: Buffer, limitMs: number): void {
  const until = performance.now() + limitMs;
  let rest = bytes;
  while (rest.length > 0 && performance.now() < until) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      pauseThread(retryMs);
    }
  }
}

function pauseThread(pauseMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
}
