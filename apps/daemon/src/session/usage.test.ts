/** Usage adds up over turns and resumes. */
import { describe, expect, it } from 'vitest';
import { zUsage } from '@makima/contracts/socket/reports';
import type { EventOf } from '../driver/events.ts';
import { createUsage } from './usage.ts';

const used = (output: number, costUsd: number | null): EventOf<'usage'> => {
  const tokens = { input: 10, output, cacheRead: 0, cacheWrite: 0 };
  return { t: 'usage', turn: tokens, total: tokens, costUsd, contextSize: null };
};

describe('what an attempt used', () => {
  it('sums tokens over its turns, and keeps the last total of the cost', () => {
    const usage = createUsage();
    usage.model('some-model');
    usage.see(used(5, 0.25));
    expect(usage.isUntold).toBe(true);
    usage.see(used(7, 0.750_000_4));
    expect(usage.total()).toEqual({
      model: 'some-model',
      inputTokens: 20,
      outputTokens: 12,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      conversationCostMicros: 750_000,
    });
    expect(usage.isUntold).toBe(false);
    usage.see(used(1, null));
    expect(usage.total()?.conversationCostMicros).toBe(750_000);
  });

  it('goes on from where it was when its agent counts anew', () => {
    const usage = createUsage();
    const told = [0.5, 0, 0.1, 0.7, null, 0.2].map((usd) => {
      usage.see(used(1, usd));
      return usage.total()?.conversationCostMicros;
    });
    expect(told).toEqual([500_000, 500_000, 600_000, 1_200_000, 1_200_000, 1_400_000]);
  });

  it('holds only numbers that a report may hold', () => {
    const usage = createUsage();
    const tokens = { input: 1.7, output: -3, cacheRead: Number.NaN, cacheWrite: 1e300 };
    usage.see({ t: 'usage', turn: tokens, total: tokens, costUsd: Number.NaN, contextSize: null });
    expect(zUsage.safeParse(usage.total()).success).toBe(true);
    expect(usage.total()).toMatchObject({ inputTokens: 1, outputTokens: 0, cacheReadTokens: 0 });
    for (const costUsd of [-1, Infinity, 1e300]) {
      usage.see({ t: 'usage', turn: tokens, total: tokens, costUsd, contextSize: null });
      expect(zUsage.safeParse(usage.total()).success).toBe(true);
    }
  });

  it('is null for an agent that used nothing, and has no cost for one that tells none', () => {
    const usage = createUsage();
    expect(usage.total()).toBeNull();
    usage.see(used(1, null));
    expect(usage.total()).toMatchObject({ outputTokens: 1, conversationCostMicros: null });
  });
});
