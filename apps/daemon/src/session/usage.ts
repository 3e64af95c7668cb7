/**
 * What an attempt used: tokens summed over its turns, money as the rise of what the agent calls its total
 * (agents count money over the whole conversation, across restarts).
 *
 * Law: what is reported are whole numbers from 0 on, whatever the agent tells. A cost that cannot be told apart from former attempts' is null, not a guess.
 */
import type { Usage } from '@makima/contracts/socket/reports';
import type { EventOf } from '../driver/events.ts';

export interface UsageCount {
  /** What the conversation had cost before this attempt; null when not known. */
  begin(costUsd: number | null): void;
  see(event: EventOf<'usage'>): void;
  /** Since the last call; null when nothing was used. */
  turn(): Usage | null;
  /** Of the whole attempt; null when nothing was used. */
  total(): Usage | null;
  /** What the whole conversation has cost; null when not known. */
  readonly conversationUsd: number | null;
}

export function createUsage(): UsageCount {
  let sum: Usage | null = null;
  let turn: Usage | null = null;
  let beforeUsd: number | null = 0;
  let lastUsd: number | null = null;

  return {
    begin(costUsd) {
      beforeUsd = costUsd;
    },
    see(event) {
      const from = lastUsd ?? beforeUsd;
      const costUsd = Number.isFinite(event.costUsd) ? event.costUsd : null;
      const rise = costUsd === null || from === null ? null : Math.max(0, costUsd - from);
      lastUsd = costUsd ?? lastUsd;
      const used: Usage = {
        inputTokens: count(event.turn.input),
        outputTokens: count(event.turn.output),
        cacheReadTokens: count(event.turn.cacheRead),
        cacheWriteTokens: count(event.turn.cacheWrite),
        costUsd: rise,
      };
      sum = add(sum, used);
      turn = add(turn, used);
    },
    turn() {
      const used = turn;
      turn = null;
      return used;
    },
    total: () => sum,
    get conversationUsd() {
      return lastUsd ?? beforeUsd;
    },
  };
}

const countMax = 1e12;

/** What an agent tells is not always a number that a report may hold. */
function count(told: number): number {
  return Number.isFinite(told) ? Math.min(countMax, Math.max(0, Math.trunc(told))) : 0;
}

function add(a: Usage | null, b: Usage): Usage {
  if (a === null) return b;
  const costUsd =
    a.costUsd === null && b.costUsd === null ? null : (a.costUsd ?? 0) + (b.costUsd ?? 0);
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    costUsd,
  };
}
