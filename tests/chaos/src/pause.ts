// Waiting in a run of faults.
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, Math.max(0, ms));
    signal?.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
  });
}

const lookMs = 5_000;

/** Undefined when it takes too long: a query whose connection died in a bad moment never ends. */
export async function inTime<T>(
  work: T | PromiseLike<T>,
  limitMs = lookMs,
): Promise<T | undefined> {
  const over = new AbortController();
  try {
    return await Promise.race([work, pause(limitMs, over.signal).then(() => undefined)]);
  } finally {
    over.abort();
  }
}

/** What `look` finds, as soon as it finds something; undefined after `withinMs`. */
export async function found<T>(
  look: () => T | undefined | Promise<T | undefined>,
  { withinMs, everyMs = 50 }: { readonly withinMs: number; readonly everyMs?: number },
): Promise<T | undefined> {
  const limit = performance.now() + withinMs;
  for (;;) {
    const seen = await inTime(look());
    if (seen !== undefined || performance.now() > limit) return seen;
    await pause(everyMs);
  }
}
