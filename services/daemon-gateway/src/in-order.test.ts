/** Order and bounds of what one socket may make us hold. */
import { describe, expect, it } from 'vitest';
import { inOrder } from './in-order.ts';
import { latest } from './latest.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('frames in order', () => {
  it('are handled one after the other, and reading stops while too much waits', async () => {
    const handled: number[] = [];
    const reading: string[] = [];
    let running = 0;
    let gate = Promise.withResolvers<void>();
    const queue = inOrder<number>({
      maxItems: 4,
      maxBytes: 1_000,
      onFull: () => reading.push('full'),
      onRoom: () => reading.push('room'),
      async handle(item) {
        running += 1;
        expect(running).toBe(1);
        await gate.promise;
        handled.push(item);
        running -= 1;
      },
    });
    for (let n = 1; n <= 6; n += 1) queue.push(n, 1);
    expect(reading).toEqual(['full']);
    gate.resolve();
    await turn();
    expect(handled).toEqual([1, 2, 3, 4, 5, 6]);
    expect(reading).toEqual(['full', 'room']);
    gate = Promise.withResolvers();
    queue.push(7, 2_000);
    queue.push(8, 2_000);
    expect(reading.at(-1)).toBe('full');
    const stopped = queue.stop();
    gate.resolve();
    await stopped;
    expect(handled).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});

describe('the latest', () => {
  it('replaces what waits, and tells of it', async () => {
    const done: number[] = [];
    const replaced: number[] = [];
    const gate = Promise.withResolvers<void>();
    const beats = latest<number>(
      async (value) => {
        await gate.promise;
        done.push(value);
      },
      (value) => void replaced.push(value),
    );
    for (let n = 1; n <= 100; n += 1) beats.push(n);
    gate.resolve();
    await beats.idle();
    expect(done).toEqual([1, 100]);
    expect(replaced).toEqual(Array.from({ length: 98 }, (_, i) => i + 2));
    await beats.idle();
    beats.push(101);
    await beats.idle();
    expect(done).toEqual([1, 100, 101]);
  });
});
