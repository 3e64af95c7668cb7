/** Lines arrive whole and in order; a reader that stopped neither blocks nor fills the memory. */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { lineSink } from './line-sink.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).toReversed()) cleanup();
});

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'makima-sink-'));
  cleanups.push(() => rmSync(dir, { recursive: true }));
  return dir;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('lineSink', () => {
  it('writes everything in order, and what is left at the flush', async () => {
    const file = join(folder(), 'log');
    const fd = openSync(file, 'w');
    cleanups.push(() => closeSync(fd));
    const sink = lineSink({ fd });
    const lines = Array.from({ length: 500 }, (_, n) => `line ${n}\n`);
    for (const line of lines.slice(0, 400)) sink.write(line);
    const deadline = Date.now() + 5_000;
    while (readFileSync(file).length < lines.slice(0, 400).join('').length) {
      expect(Date.now()).toBeLessThan(deadline);
      await turn();
    }
    for (const line of lines.slice(400)) sink.write(line);
    sink.flush(250);
    expect(readFileSync(file, 'utf8')).toBe(lines.join(''));
  });

  it('keeps a bounded number of lines while nobody reads, and says how many it dropped', async () => {
    const fd = fullPipe();
    const sink = lineSink({ fd, maxPendingBytes: 200_000 });
    for (let n = 0; n < 1_000; n += 1) sink.write(`${'x'.repeat(999)}\n`);
    let text = await readUntil(fd, (seen) => seen.length >= 150_000);
    sink.write('after\n');
    text += await readUntil(fd, (seen) => seen.includes('after\n'));
    const kept = text.split('\n').filter((line) => line.startsWith('x')).length;
    const dropped = /"droppedLines":(\d+)/.exec(text)?.[1];
    expect(kept).toBeLessThanOrEqual(202);
    expect(kept + Number(dropped)).toBe(1_000);
  });

  it('returns from a flush in time when nobody reads', async () => {
    const sink = lineSink({ fd: fullPipe() });
    sink.write('x'.repeat(500_000));
    await turn();
    sink.write('x'.repeat(500_000));
    const since = performance.now();
    sink.flush(100);
    expect(performance.now() - since).toBeLessThan(1_000);
  });
});

/** A pipe opened for both ends, so that it opens without a reader, and non-blocking, so that it fills up. */
function fullPipe(): number {
  const pipe = join(folder(), 'pipe');
  expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
  const fd = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  cleanups.push(() => closeSync(fd));
  return fd;
}

async function readUntil(fd: number, done: (seen: string) => boolean): Promise<string> {
  const chunk = Buffer.alloc(65_536);
  let seen = '';
  while (!done(seen)) {
    try {
      seen += chunk.toString('utf8', 0, readSync(fd, chunk));
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('EAGAIN');
    }
    await turn();
  }
  return seen;
}
