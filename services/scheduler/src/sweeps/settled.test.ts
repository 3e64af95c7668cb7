/** After an outage of the store, those who live get the time to say so. */
import { describe, expect, it } from 'vitest';
import { settling } from './settled.ts';

describe('a store', () => {
  it('is settled when it has been up, and answering, for the grace', async () => {
    let at = 0;
    let uptime: number | Error = 5_000;
    const settled = settling({
      now: () => at,
      graceMs: 15_000,
      uptimeMs: async () => {
        if (uptime instanceof Error) throw uptime;
        return uptime;
      },
    });
    expect(await settled()).toBe(false);
    uptime = 15_000;
    expect(await settled()).toBe(true);
    uptime = new Error('away');
    expect(await settled()).toBe(false);
    uptime = 1_000_000;
    at = 14_000;
    expect(await settled()).toBe(false);
    at = 15_000;
    expect(await settled()).toBe(true);
  });
});
