/** The bounded queue of events: order, back-pressure, its end. */
import { describe, expect, it } from 'vitest';
import { eventQueue } from './event-queue.ts';

function queueOf(capacity: number) {
  const calls: string[] = [];
  const queue = eventQueue<number>({
    capacity,
    onFull: () => calls.push('full'),
    onDrained: () => calls.push('drained'),
  });
  return { queue, calls };
}

describe('eventQueue', () => {
  it('gives everything in order and ends after the close', async () => {
    const { queue } = queueOf(10);
    const read = (async () => {
      const seen: number[] = [];
      for await (const n of queue.events) seen.push(n);
      return seen;
    })();
    for (let n = 0; n < 5000; n += 1) queue.push(n);
    queue.close();
    queue.push(-1);
    expect(await read).toEqual(Array.from({ length: 5000 }, (_, n) => n));
  });

  it('tells once that it is full, and once that half of it is read', async () => {
    const { queue, calls } = queueOf(4);
    for (let n = 0; n < 6; n += 1) queue.push(n);
    expect(calls).toEqual(['full']);
    const reader = queue.events[Symbol.asyncIterator]();
    for (let n = 0; n < 3; n += 1) await reader.next();
    expect(calls).toEqual(['full']);
    await reader.next();
    expect(calls).toEqual(['full', 'drained']);
    for (let n = 0; n < 2; n += 1) queue.push(n);
    expect(calls).toEqual(['full', 'drained', 'full']);
  });

  it('holds nothing back any more once it is unbound', () => {
    const { queue, calls } = queueOf(2);
    for (let n = 0; n < 3; n += 1) queue.push(n);
    queue.unbound();
    for (let n = 0; n < 10; n += 1) queue.push(n);
    expect(calls).toEqual(['full', 'drained']);
  });
});
