/** After an outage of the store or a step of its clock, those who live get the time to say so. */
import { describe, expect, it } from 'vitest';
import { settling } from './settled.ts';

/** Of a lease. */
const silentMs = 60_000;

function scene() {
  const store = { at: 0, clockMs: 1_000_000, uptimeMs: 1_000_000, away: 'no' as 'no' | 'yes' };
  const ask = settling({
    now: () => store.at,
    graceMs: 15_000,
    look: async () => {
      if (store.away === 'yes') throw new Error('away');
      return { uptimeMs: store.uptimeMs, clockMs: store.clockMs };
    },
  });
  const settled = () => ask({ silentMs });
  /** So much time goes by, for both clocks. */
  const pass = (ms: number): void => {
    store.at += ms;
    store.clockMs += ms;
  };
  return { store, settled, ask, pass };
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
    pass(21_000);
    expect(await settled()).toBe(false);
    store.away = 'no';
    expect(await settled()).toBe(false);
    pass(14_000);
    expect(await settled()).toBe(false);
    pass(1_000);
    expect(await settled()).toBe(true);
  });

  it.each([
    ['one of 20 s', 1, 20_000, true],
    ['one of 21 s', 1, 21_000, false],
    ['five of 4 s', 5, 4_000, true],
    ['five of 5 s', 5, 5_000, false],
  ])(
    'has heard whoever lives between short outages of the last minute: %s',
    async (_, count, awayMs, has) => {
      const { store, settled, pass } = scene();
      for (let n = 0; n < count; n += 1) {
        expect(await settled()).toBe(true);
        pass(awayMs);
        store.away = 'yes';
        expect(await settled()).toBe(false);
        store.away = 'no';
        const back = await settled();
        if (n === count - 1) expect(back).toBe(has);
        // Each ends before the grace of the one before is over.
        pass(5_000);
      }
    },
  );

  it.each([
    ['39 s', 39_000, false],
    ['40 s', 40_000, true],
  ])(
    'knows what was before its first look by the age of the store: %s',
    async (_, uptimeMs, has) => {
      const { store, settled } = scene();
      store.uptimeMs = uptimeMs;
      store.away = 'yes';
      expect(await settled()).toBe(false);
      store.away = 'no';
      expect(await settled()).toBe(has);
    },
  );

  it('has heard nobody in a lease shorter than three beats', async () => {
    const { store, ask, pass } = scene();
    expect(await ask({ silentMs: 29_000 })).toBe(true);
    store.away = 'yes';
    expect(await ask({ silentMs: 29_000 })).toBe(false);
    store.away = 'no';
    pass(14_000);
    expect(await ask({ silentMs: 29_000 })).toBe(false);
    pass(1_000);
    expect(await ask({ silentMs: 29_000 })).toBe(true);
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
