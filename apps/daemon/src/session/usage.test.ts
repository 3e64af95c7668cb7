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
  it('sums tokens and the rise of the cost', () => {
    const usage = createUsage();
    usage.begin(0);
    usage.see(used(5, 0.25));
    expect(usage.turn()).toMatchObject({ inputTokens: 10, outputTokens: 5, costUsd: 0.25 });
    expect(usage.turn()).toBeNull();
    usage.see(used(7, 0.75));
    expect(usage.turn()).toMatchObject({ outputTokens: 7, costUsd: 0.5 });
    expect(usage.total()).toMatchObject({ inputTokens: 20, outputTokens: 12, costUsd: 0.75 });
    expect(usage.conversationUsd).toBe(0.75);
  });

  it('holds only numbers that a report may hold', () => {
    const usage = createUsage();
    const tokens = { input: 1.7, output: -3, cacheRead: Number.NaN, cacheWrite: 1e300 };
    usage.see({ t: 'usage', turn: tokens, total: tokens, costUsd: Number.NaN, contextSize: null });
    expect(zUsage.safeParse(usage.total()).success).toBe(true);
    expect(usage.total()).toMatchObject({ inputTokens: 1, outputTokens: 0, cacheReadTokens: 0 });
  });

  it('counts a resumed conversation from where it was', () => {
    const usage = createUsage();
    usage.begin(2);
    usage.see(used(1, 2.5));
    expect(usage.total()?.costUsd).toBe(0.5);
  });

  it('does not guess what former attempts cost elsewhere', () => {
    const usage = createUsage();
    usage.begin(null);
    usage.see(used(1, 2.5));
    expect(usage.total()?.costUsd).toBeNull();
    usage.see(used(1, 3));
    expect(usage.total()?.costUsd).toBe(0.5);
  });

  it('is null for an agent that used nothing or tells no price', () => {
    const usage = createUsage();
    expect(usage.total()).toBeNull();
    usage.see(used(1, null));
    expect(usage.total()).toMatchObject({ outputTokens: 1, costUsd: null });
    expect(usage.conversationUsd).toBe(0);
  });
});
