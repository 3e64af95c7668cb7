/** After an outage of the store or a step of its clock, those who live get the time to say so. */
import { describe, expect, it } from 'vitest';
import { settling } from './settled.ts';

function scene() {
  const store = { at: 0, clockMs: 1_000_000, uptimeMs: 1_000_000, away: 'no' as 'no' | 'yes' };
  const settled = settling({
    now: () => store.at,
    graceMs: 15_000,
    look: async () => {
      if (store.away === 'yes') throw new Error('away');
      return { uptimeMs: store.uptimeMs, clockMs: store.clockMs };
    },
  });
  /** So much time goes by, for both clocks. */
  const pass = (ms: number): void => {
    store.at += ms;
    store.clockMs += ms;
  };
  return { store, settled, pass };
}

describe('a store', () => {
  it('is settled when it has been up, and answering, for the grace', async () => {
    const { store, settled, pass } = scene();
    store.uptimeMs = 5_000;
    expect(await settled()).toBe(false);
    store.uptimeMs = 15_000;
    expect(await settled()).toBe(true);
    store.away = 'yes';
    expect(await settled()).toBe(false);
    store.away = 'no';
    pass(14_000);
    expect(await settled()).toBe(false);
    pass(1_000);
    expect(await settled()).toBe(true);
  });

  it.each([
    ['a machine that slept for ten minutes', 600_000],
    ['a clock that was set forward', 3_600_000],
    ['a clock that was set back', -3_600_000],
  ])('is not settled until the grace is over after %s', async (_, stepMs) => {
    const { store, settled, pass } = scene();
    expect(await settled()).toBe(true);
    pass(3_000);
    store.clockMs += stepMs;
    expect(await settled()).toBe(false);
    pass(14_000);
    expect(await settled()).toBe(false);
    pass(1_000);
    expect(await settled()).toBe(true);
  });

  it('takes a slow answer for no step, and no first look for one', async () => {
    const { store, settled, pass } = scene();
    store.clockMs = 0;
    expect(await settled()).toBe(true);
    pass(3_000);
    store.clockMs += 4_000;
    expect(await settled()).toBe(true);
  });
});
