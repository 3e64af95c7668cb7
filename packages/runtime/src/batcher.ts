/**
 * Group commit: what arrives while one batch is being written goes out together in the next; when nothing
 * is being written, the first item goes at once. Latency when idle, throughput under load, no timer.
 *
 * Law: each item gets its own outcome. A batch that fails as a whole is retried item by item, so that one
 * poisoned item fails alone.
 */

export interface BatcherOptions<T, R> {
  /**
   * Write the items in one go; results in the same order. When it throws, the items are given again one by
   * one: it writes all or none, or is safe to repeat.
   */
  readonly flush: (items: readonly T[]) => Promise<readonly R[]>;
  /** Most items of one batch. Default 200. */
  readonly maxItems?: number;
  /** Most items that may wait; `add` rejects with BatcherFullError beyond. Default 10 000. */
  readonly maxPending?: number;
}

export interface Batcher<T, R> {
  /** Resolves with the item's own result when its batch is written. */
  add(item: T): Promise<R>;
  /** Resolves when everything that was added so far has its outcome. */
  drain(): Promise<void>;
  /** Items that wait or are being written. */
  readonly pending: number;
}

/** More waits than may wait: the caller should push back on its own source. */
export class BatcherFullError extends Error {
  constructor(maxPending: number) {
    super(`more than ${maxPending} items wait to be written`);
    this.name = 'BatcherFullError';
  }
}

interface Waiting<T, R> {
  readonly item: T;
  readonly outcome: PromiseWithResolvers<R>;
}

export function createBatcher<T, R = void>(options: BatcherOptions<T, R>): Batcher<T, R> {
  const maxItems = options.maxItems ?? 200;
  const maxPending = options.maxPending ?? 10_000;
  let queue: Waiting<T, R>[] = [];
  let flying: Waiting<T, R>[] = [];
  let running = false;

  const run = async (): Promise<void> => {
    running = true;
    // One turn of the microtask queue, so that items added side by side share the first batch.
    await Promise.resolve();
    while (queue.length > 0) {
      flying = queue.slice(0, maxItems);
      queue = queue.slice(maxItems);
      await settle(flying, options.flush);
    }
    flying = [];
    running = false;
  };

  return {
    add(item) {
      if (queue.length + flying.length >= maxPending) {
        return Promise.reject(new BatcherFullError(maxPending));
      }
      const outcome = Promise.withResolvers<R>();
      queue.push({ item, outcome });
      if (!running) void run();
      return outcome.promise;
    },
    async drain() {
      await Promise.allSettled([...flying, ...queue].map((waiting) => waiting.outcome.promise));
    },
    get pending() {
      return queue.length + flying.length;
    },
  };
}

async function settle<T, R>(
  batch: readonly Waiting<T, R>[],
  flush: BatcherOptions<T, R>['flush'],
): Promise<void> {
  try {
    const results = await flush(batch.map((waiting) => waiting.item));
    if (results.length !== batch.length) throw new Error('a batch must answer once per item');
    batch.forEach((waiting, index) => waiting.outcome.resolve(results[index] as R));
  } catch (error) {
    if (batch.length > 1) {
      for (const waiting of batch) await settle([waiting], flush);
    } else {
      batch[0]?.outcome.reject(error);
    }
  }
}
