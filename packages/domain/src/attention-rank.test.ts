/** The order of attention. */
import { describe, expect, it } from 'vitest';
import { attentionRank, attentions, compareAttention, mostUrgent } from './attention-rank.ts';

describe('attention ranks', () => {
  it('puts what needs a person first and what is archived last', () => {
    expect(attentionRank('needs_you')).toBe(0);
    expect(attentionRank('archived')).toBe(attentions.length - 1);
    expect(attentions.toReversed().toSorted(compareAttention)).toEqual([...attentions]);
  });

  it('finds the most urgent of a list', () => {
    expect(mostUrgent(['done', 'failed', 'running'])).toBe('failed');
    expect(mostUrgent([])).toBeUndefined();
  });
});
