/** Group commit: at once when idle, together under load, one bad item fails alone. */
import { describe, expect, it } from 'vitest';
import { BatcherFullError, createBatcher } from './batcher.ts';

/** A flush that a test lets go of batch by batch. */
function gated() {
  const batches: { items: readonly number[]; open: () => void }[] = [];
  let arrived = Promise.withResolvers<void>();
  return {
    batches,
    flush: async (items: readonly number[]): Promise<number[]> => {
      const gate = Promise.withResolvers<void>();
      batches.push({ items, open: gate.resolve });
      arrived.resolve();
      await gate.promise;
      return items.map((item) => item * 10);
    },
    async next() {
      if (batches.length === 0) await arrived.promise;
      arrived = Promise.withResolvers();
      return batches.shift();
    },
  };
}

describe('createBatcher', () => {
  it('collects what arrives while a batch is being written', async () => {
    const gate = gated();
    const batcher = createBatcher({ flush: gate.flush, maxItems: 3 });
    const first = batcher.add(1);
    const batch = await gate.next();
    expect(batch?.items).toEqual([1]);
    const rest = [2, 3, 4, 5].map((item) => batcher.add(item));
    expect(batcher.pending).toBe(5);
    batch?.open();
    expect(await first).toBe(10);
    const second = await gate.next();
    expect(second?.items).toEqual([2, 3, 4]);
    second?.open();
    const third = await gate.next();
    expect(third?.items).toEqual([5]);
    third?.open();
    expect(await Promise.all(rest)).toEqual([20, 30, 40, 50]);
    expect(batcher.pending).toBe(0);
  });

  it('retries a failing batch item by item, so that only the bad one fails', async () => {
    const seen: (readonly number[])[] = [];
    const batcher = createBatcher<number, string>({
      async flush(items) {
        seen.push(items);
        if (items.includes(2)) throw new Error('two is bad');
        return items.map(String);
      },
    });
    const outcomes = await Promise.allSettled([1, 2, 3].map((item) => batcher.add(item)));
    expect(outcomes.map((each) => each.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(seen).toEqual([[1, 2, 3], [1], [2], [3]]);
    expect(await batcher.add(4)).toBe('4');
  });

  it('refuses more than it may hold and drains what it has', async () => {
    const gate = gated();
    const batcher = createBatcher({ flush: gate.flush, maxPending: 2 });
    const kept = [batcher.add(1), batcher.add(2)];
    await expect(batcher.add(3)).rejects.toBeInstanceOf(BatcherFullError);
    const drained = batcher.drain();
    (await gate.next())?.open();
    await drained;
    expect(await Promise.all(kept)).toEqual([10, 20]);
  });

  it('rejects when a flush does not answer once per item', async () => {
    const batcher = createBatcher<number, number>({ flush: async () => [] });
    await expect(batcher.add(1)).rejects.toThrow('once per item');
  });
});
