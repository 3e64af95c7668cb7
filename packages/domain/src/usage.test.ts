/** Tokens and money: parts of a conversation, derived prices, decimal text there and back. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  attemptCosts,
  derivedMicros,
  nothingSpent,
  priceFor,
  readUsd,
  spentOf,
  spentWords,
  tokenSum,
  tokenWords,
  usdText,
} from './usage.ts';

const tokens = { inputTokens: 1_000_000, outputTokens: 2, cacheReadTokens: 3, cacheWriteTokens: 4 };
const price = { input: 1_250_000, output: 10_000_000, cacheRead: 125_000, cacheWrite: 0 };

const none = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
const tried = (
  attempt: number,
  sessionId: string | null,
  conversationCostMicros: number | null,
  conversationLowMicros = conversationCostMicros,
) => ({
  ...tokens,
  attempt,
  sessionId,
  conversationCostMicros,
  conversationLowMicros,
  model: null,
});
const noPrice = () => undefined;
const costs = (...attempts: ReturnType<typeof tried>[]) =>
  attemptCosts(attempts, noPrice).map(({ costMicros }) => costMicros);

describe('the cost of an attempt', () => {
  it('is what its conversation cost more than before', () => {
    expect(costs(tried(1, 's', 500), tried(2, 's', 700), tried(3, 's', 700))).toEqual([
      500, 200, 0,
    ]);
  });

  it('is the same in whatever order the attempts are told of', () => {
    expect(costs(tried(2, 's', 700), tried(1, 's', 500))).toEqual([500, 200]);
  });

  it('is everything when its agent began to count anew, and goes on from there', () => {
    expect(costs(tried(1, 's', 500), tried(2, 's', 300), tried(3, 's', 400))).toEqual([
      500, 300, 100,
    ]);
  });

  it('stays everything when that comes to more than before', () => {
    expect(costs(tried(1, 's', 500), tried(2, 's', 600, 100), tried(3, 's', 650, 610))).toEqual([
      500, 600, 50,
    ]);
    // Kept before anybody looked at it.
    expect(
      costs(tried(1, 's', 500), { ...tried(2, 's', 600), conversationLowMicros: null }),
    ).toEqual([500, 100]);
  });

  it('is everything in another conversation, and in one that nobody knows', () => {
    expect(costs(tried(1, 's', 500), tried(2, 't', 600), tried(3, null, 700))).toEqual([
      500, 600, 700,
    ]);
  });

  it('skips attempts that told no cost', () => {
    expect(costs(tried(1, 's', 500), tried(2, 's', null), tried(3, 's', 700))).toEqual([
      500,
      null,
      200,
    ]);
  });

  it('is derived where its agent tells none, and says so', () => {
    expect(attemptCosts([tried(1, 's', null)], () => price)).toEqual([
      { attempt: 1, costMicros: 1_250_020, costEstimated: true },
    ]);
    expect(attemptCosts([tried(1, 's', 0)], () => price)).toMatchObject([{ costEstimated: true }]);
    expect(attemptCosts([tried(1, 's', 0)], noPrice)).toMatchObject([{ costMicros: 0 }]);
    expect(attemptCosts([tried(1, 's', 5)], () => price)).toMatchObject([{ costMicros: 5 }]);
    expect(attemptCosts([{ ...tried(1, 's', null), ...none }], () => price)).toEqual([
      { attempt: 1, costMicros: null, costEstimated: false },
    ]);
  });
});

describe('what a task has spent', () => {
  it('is the sum of its attempts; what has no price is counted apart', () => {
    const one = { ...none, outputTokens: 5 };
    expect(
      spentOf([
        { ...one, costMicros: 3, costEstimated: false },
        { ...one, costMicros: 4, costEstimated: true },
        { ...one, costMicros: null, costEstimated: false },
      ]),
    ).toEqual({ ...none, outputTokens: 15, costMicros: 7, costEstimated: true, unpricedTokens: 5 });
    expect(spentOf([])).toEqual(nothingSpent);
  });

  it.each([
    [{}, null],
    [{ outputTokens: 950, costMicros: 1_234_567 }, '950 tokens, $1.23'],
    [{ outputTokens: 12_490, costMicros: 4_321 }, '12.4k tokens, $0.0043'],
    [{ outputTokens: 3_199_999, costMicros: 5, costEstimated: true }, '3.1M tokens, est. $0.0001'],
    [{ outputTokens: 950, unpricedTokens: 950 }, '950 tokens, cost unknown'],
    [{ outputTokens: 950, costMicros: 420_000, unpricedTokens: 9 }, '950 tokens, over $0.42'],
    [{ costMicros: 420_000 }, '0 tokens, $0.42'],
  ])('%o is told as %j', (spent, words) => {
    expect(spentWords({ ...nothingSpent, ...spent })).toBe(words);
  });

  it('has its tokens cut, never rounded up', () => {
    expect([999, 1_000, 999_999, 1_000_000].map(tokenWords)).toEqual(['999', '1k', '999.9k', '1M']);
  });
});

describe('a derived price', () => {
  it('is rounded to whole micro-dollars, however many tokens', () => {
    expect(derivedMicros(tokens, price)).toBe(1_250_020);
    const many = { ...tokens, inputTokens: 9_000_000_000_000 };
    expect(derivedMicros(many, price)).toBe(11_250_000_000_020);
    expect(derivedMicros({ ...tokens, inputTokens: 0, outputTokens: 0 }, price)).toBe(0);
  });

  it('is that of the model by the longest beginning of its name, else of its agent', () => {
    const [a, b, c] = [1, 2, 3].map((input) => ({ ...price, input }));
    if (a === undefined || b === undefined || c === undefined) throw new Error('three prices');
    const prices = new Map([
      ['gpt', a],
      ['gpt-5', b],
      ['codex', c],
    ]);
    expect(priceFor(prices, { model: 'gpt-5.3-codex', agent: 'codex' })).toBe(b);
    expect(priceFor(prices, { model: 'gpt-4', agent: 'codex' })).toBe(a);
    expect(priceFor(prices, { model: 'other', agent: 'codex' })).toBe(c);
    expect(priceFor(prices, { model: null, agent: 'codex' })).toBe(c);
    expect(priceFor(prices, { model: null, agent: 'gemini' })).toBeUndefined();
  });

  it('counts tokens of every kind', () => {
    expect(tokenSum(tokens)).toBe(1_000_009);
  });
});

describe('money as text', () => {
  it.each([
    [0, '0.00'],
    [43_500, '0.0435'],
    [12_500_000, '12.50'],
    [1, '0.000001'],
  ])('of %i micro-dollars is %s', (micros, text) => {
    expect(usdText(micros)).toBe(text);
  });

  it('is read back as it was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_999_999_999_999 }), (micros) => {
        expect(readUsd(usdText(micros))).toBe(micros);
      }),
    );
  });

  it.each(['', '-1', '1e9', '1.1234567', '12345678', 'five', '1,5', 'NaN'])('is not %j', (text) => {
    expect(readUsd(text)).toBeUndefined();
  });
});
