/** Prices are read whole or refused by name; a price that is left out is that of the input. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { settingFields } from './settings.ts';

const { MAKIMA_PRICES: prices } = settingFields;

describe('MAKIMA_PRICES', () => {
  it('names models, in dollars for a million tokens', () => {
    expect(prices.parse(' gpt-5=1.25/10/0.125, local/big=1/2 ,x=0/0/0/3,')).toEqual(
      new Map([
        [
          'gpt-5',
          { input: 1_250_000, output: 10_000_000, cacheRead: 125_000, cacheWrite: 1_250_000 },
        ],
        [
          'local/big',
          { input: 1_000_000, output: 2_000_000, cacheRead: 1_000_000, cacheWrite: 1_000_000 },
        ],
        ['x', { input: 0, output: 0, cacheRead: 0, cacheWrite: 3_000_000 }],
      ]),
    );
    expect(z.object(settingFields).parse({}).MAKIMA_PRICES).toEqual(new Map());
  });

  it.each(['gpt-5', 'gpt-5=1', 'gpt-5=1/x', '=1/2', 'gpt-5=1/2/3/4/5', 'gpt-5=-1/2', 'a=1/2,b'])(
    'refuses %j',
    (text) => {
      const parsed = prices.safeParse(text);
      expect(parsed.error?.issues[0]?.message).toContain('is no price');
    },
  );
});
