/**
 * A step that says what it used of a model, as an agent would that really asked one.
 *
 * Law: once in its conversation; money is told as the conversation's total, tokens as they come.
 */
import type { Tokens } from '../driver/events.ts';
import type { Entry } from './conversation.ts';
import type { Handler } from './host.ts';
import { totalTokens } from './progress.ts';
import { numberOf } from './values.ts';

export const spend: Handler = {
  async perform({ host, key, args }) {
    const { conversation } = host;
    if (conversation.entries.some((entry) => entry.t === 'spent' && entry.key === key)) return null;
    const tokens: Tokens = {
      input: numberOf(args, 'input', 0),
      output: numberOf(args, 'output', 0),
      cacheRead: numberOf(args, 'cache_read', 0),
      cacheWrite: numberOf(args, 'cache_write', 0),
    };
    conversation.append({ t: 'spent', key, tokens, usd: numberOf(args, 'usd', 0) });
    const { entries } = conversation;
    const costUsd = totalUsd(entries);
    host.emit({
      t: 'usage',
      turn: tokens,
      total: totalTokens(entries),
      costUsd,
      contextSize: null,
    });
    host.ledger.note('spent', { key, costUsd });
    return { costUsd };
  },
};

/** What the whole conversation has cost. */
export function totalUsd(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => (entry.t === 'spent' ? sum + entry.usd : sum), 0);
}
