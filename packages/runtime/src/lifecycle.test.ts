/** Start in order, stop in reverse, end always. The process half runs as a real process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { createApp, type Part } from './lifecycle.ts';
import { testLog } from './test-log.ts';

function recorded(name: string, seen: string[], more: Partial<Part> = {}): Part {
  return {
    name,
    start: () => void seen.push(`start ${name}`),
    stop: () => void seen.push(`stop ${name}`),
    tick: () => void seen.push(`tick ${name}`),
    ...more,
  };
}

describe('createApp', () => {
  it('starts in order, ticks in order, stops in reverse; twice is fine', async () => {
    const seen: string[] = [];
    const app = createApp({ log: testLog(), parts: [recorded('a', seen), recorded('b', seen)] });
    expect(await app.stop()).toBe(true);
    await Promise.all([app.start(), app.start()]);
    await app.tick();
    expect(await Promise.all([app.stop(), app.stop()])).toEqual([true, true]);
    expect(seen).toEqual(['start a', 'start b', 'tick a', 'tick b', 'stop b', 'stop a']);
  });

  it('stops what had started when a part fails to start', async () => {
    const seen: string[] = [];
    const bad = recorded('bad', seen, { start: () => Promise.reject(new Error('no port')) });
    const parts = [recorded('a', seen), bad, recorded('never', seen)];
    await expect(createApp({ log: testLog(), parts }).start()).rejects.toThrow('no port');
    expect(seen).toEqual(['start a', 'stop bad', 'stop a']);
  });

  it('goes on to the next part when one hangs or throws while stopping', async () => {
    const seen: string[] = [];
    const log = testLog();
    const hanging = recorded('hangs', seen, { stop: () => new Promise(() => {}), stopMs: 5 });
    const throwing = recorded('throws', seen, { stop: () => Promise.reject(new Error('no')) });
    const app = createApp({ log, parts: [recorded('a', seen), hanging, throwing] });
    await app.start();
    expect(await app.stop()).toBe(false);
    expect(seen.at(-1)).toBe('stop a');
    const complaints = log.lines.filter((line) => line.message === 'part did not stop cleanly');
    expect(complaints.map((line) => line['part'])).toEqual(['throws', 'hangs']);
  });
});

describe('runApp', () => {
  const running = new Set<ReturnType<typeof spawn>>();
  afterEach(() => {
    for (const child of running) child.kill('SIGKILL');
  });

  /** Start the fixture in a mode and collect its log. */
  function fixture(mode: string) {
    const file = join(import.meta.dirname, 'test-fixtures', 'app.ts');
    const child = spawn(process.execPath, [file, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
    running.add(child);
    const messages: string[] = [];
    const exited = once(child, 'close').then(([code]: unknown[]) => {
      running.delete(child);
      return code;
    });
    const seen = new Map<string, PromiseWithResolvers<void>>();
    const wait = (message: string) => {
      const known = seen.get(message) ?? Promise.withResolvers<void>();
      seen.set(message, known);
      return known;
    };
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { message } = JSON.parse(line) as { message: string };
      messages.push(message);
      wait(message).resolve();
    });
    return { child, messages, exited, line: (message: string) => wait(message).promise };
  }

  it.each(['SIGTERM', 'SIGINT'] as const)('drains on %s and exits 0', async (signal) => {
    const app = fixture('plain');
    await app.line('started');
    app.child.kill(signal);
    expect(await app.exited).toBe(0);
    expect(app.messages).toEqual(['started', 'draining', 'not ready', 'part stops', 'stopped']);
  });

  it('exits 1 when the drain takes too long, and at once on a second signal', async () => {
    const slow = fixture('hangs');
    await slow.line('started');
    slow.child.kill('SIGTERM');
    expect(await slow.exited).toBe(1);
    expect(slow.messages).toContain('drain took too long');

    const twice = fixture('hangs-long');
    await twice.line('started');
    twice.child.kill('SIGTERM');
    await twice.line('draining');
    twice.child.kill('SIGTERM');
    expect(await twice.exited).toBe(1);
  });

  it.each([
    ['throws', 'uncaught exception'],
    ['rejects', 'unhandled rejection'],
    ['start-fails', 'start failed'],
  ])('%s: logs and exits 1', async (mode, message) => {
    const app = fixture(mode);
    expect(await app.exited).toBe(1);
    expect(app.messages).toContain(message);
  });
});
