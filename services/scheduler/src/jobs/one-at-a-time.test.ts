/** Coalescing: one run, and one more for all that came meanwhile. */
import { describe, expect, it } from 'vitest';
import { oneAtATime } from './one-at-a-time.ts';

function counted() {
  const runs: { key: string; gate: PromiseWithResolvers<void> }[] = [];
  const call = oneAtATime(async (key) => {
    const gate = Promise.withResolvers<void>();
    runs.push({ key, gate });
    await gate.promise;
  });
  return { runs, call, turn: () => new Promise((resolve) => setImmediate(resolve)) };
}

describe('one at a time', () => {
  it('turns a pile of calls into two runs', async () => {
    const { runs, call, turn } = counted();
    const calls = Array.from({ length: 1_000 }, () => call('a'));
    await turn();
    expect(runs).toHaveLength(1);
    runs[0]?.gate.resolve();
    await calls[0];
    await turn();
    expect(runs).toHaveLength(2);
    let later = false;
    void calls[999]?.then(() => (later = true));
    await turn();
    // The first run may not have seen what the later callers wrote.
    expect(later).toBe(false);
    runs[1]?.gate.resolve();
    await Promise.all(calls);
    expect(runs).toHaveLength(2);
  });

  it('does not let one key wait for another, and begins afresh when it is idle', async () => {
    const { runs, call } = counted();
    const [a, b] = [call('a'), call('b')];
    expect(runs.map((run) => run.key)).toEqual(['a', 'b']);
    for (const run of runs) run.gate.resolve();
    await Promise.all([a, b]);
    const again = call('a');
    runs[2]?.gate.resolve();
    await again;
    expect(runs).toHaveLength(3);
  });

  it('fails those who waited for the run that failed, and nobody else', async () => {
    const { runs, call, turn } = counted();
    const first = call('a');
    const second = call('a');
    runs[0]?.gate.reject(new Error('no store'));
    await expect(first).rejects.toThrow('no store');
    await turn();
    runs[1]?.gate.resolve();
    await second;
  });
});
