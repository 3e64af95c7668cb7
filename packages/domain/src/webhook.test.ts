/** Tries, pauses and the end of patience with an endpoint. */
import { describe, expect, it } from 'vitest';
import {
  deliveryTriesMax,
  endpointPauseMs,
  isDead,
  retryPauseMs,
  tryVerdict,
  webhookStatuses,
  webhookTransitions,
} from './webhook.ts';

const hourMs = 3_600_000;

describe('a delivery', () => {
  it('is tried again over hours, later each time, and then no more', () => {
    const pauses = Array.from({ length: deliveryTriesMax }, (_, i) => retryPauseMs(i + 1));
    expect(pauses.at(-1)).toBeNull();
    const real = pauses.filter((pause) => pause !== null);
    expect(real).toHaveLength(deliveryTriesMax - 1);
    expect(real.toSorted((a, b) => a - b)).toEqual(real);
    expect(real[0]).toBe(5_000);
    const total = real.reduce((sum, pause) => sum + pause, 0);
    expect(total / hourMs).toBeGreaterThan(24);
    expect(total / hourMs).toBeLessThan(36);
  });

  it('waits as long as the endpoint asks for, within reason', () => {
    expect(retryPauseMs(1, 60_000)).toBe(60_000);
    expect(retryPauseMs(1, 1_000)).toBe(5_000);
    expect(retryPauseMs(1, 999 * hourMs)).toBe(hourMs);
    expect(retryPauseMs(10, 1)).toBe(12 * hourMs);
    expect(retryPauseMs(deliveryTriesMax, 60_000)).toBeNull();
  });

  it('is delivered by any 2xx, over by 410, and tried again after anything else', () => {
    expect([200, 201, 204, 299].map(tryVerdict)).toEqual(Array(4).fill('delivered'));
    expect(tryVerdict(410)).toBe('gone');
    expect([null, 100, 301, 307, 400, 401, 404, 429, 500, 503].map(tryVerdict)).toEqual(
      Array(10).fill('retry'),
    );
  });
});

describe('an endpoint', () => {
  it('that fails again and again is asked seldom', () => {
    expect([0, 1, 2].map((failures) => endpointPauseMs({ failures }))).toEqual([0, 0, 0]);
    expect(endpointPauseMs({ failures: 3 })).toBe(5_000);
    expect(endpointPauseMs({ failures: 4 })).toBe(10_000);
    expect(endpointPauseMs({ failures: 5_000 })).toBe(15 * 60_000);
  });

  it('is dead after a day of nothing but failures, and not after a few', () => {
    const now = new Date('2030-01-02T00:00:00Z');
    const since = (hours: number) => new Date(now.getTime() - hours * hourMs);
    expect(isDead({ failures: 10, failingSince: since(24) }, now)).toBe(true);
    expect(isDead({ failures: 9, failingSince: since(240) }, now)).toBe(false);
    expect(isDead({ failures: 999, failingSince: since(23) }, now)).toBe(false);
    expect(isDead({ failures: 0, failingSince: null }, now)).toBe(false);
  });

  it('comes back from everywhere, and is set aside only while it is used', () => {
    expect(webhookStatuses.filter((from) => webhookTransitions[from].includes('active'))).toEqual([
      'disabled',
      'quarantined',
    ]);
    expect(
      webhookStatuses.filter((from) => webhookTransitions[from].includes('quarantined')),
    ).toEqual(['active']);
  });
});
