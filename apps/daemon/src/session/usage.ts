/**
 * What an attempt has used so far: tokens summed over its turns, and the agent's own total of what its
 * conversation has cost (agents count money over the whole conversation, across restarts: the server knows what
 * of it is known already). One that begins to count anew in the middle goes on from where it was.
 *
 * Law: what is reported are whole numbers from 0 on, whatever the agent tells.
 */
import type { Usage } from '@makima/contracts/socket/reports';
import type { EventOf } from '../driver/events.ts';

export interface UsageCount {
  /** Which model it speaks to, as it says. */
  model(name: string | null): void;
  see(event: EventOf<'usage'>): void;
  /** Of the whole attempt so far, for a report; null when nothing was used. */
  total(): Usage | null;
  /** Something was seen that no report has told. */
  readonly isUntold: boolean;
}

export function createUsage(): UsageCount {
  let sum: Usage | null = null;
  let model: string | null = null;
  let isUntold = false;
  let toldMicros = 0;
  let formerMicros = 0;
  const conversationMicros = (usd: number | null): number | null => {
    const told = micros(usd);
    if (told === null) return null;
    // Nothing is what some say who do not know.
    if (told > 0 && told < toldMicros) formerMicros += toldMicros;
    toldMicros = told === 0 ? toldMicros : told;
    return Math.min(countMax, formerMicros + toldMicros);
  };
  return {
    model(name) {
      model = name === null ? null : name.slice(0, 200);
    },
    see({ turn, costUsd }) {
      sum = {
        inputTokens: (sum?.inputTokens ?? 0) + count(turn.input),
        outputTokens: (sum?.outputTokens ?? 0) + count(turn.output),
        cacheReadTokens: (sum?.cacheReadTokens ?? 0) + count(turn.cacheRead),
        cacheWriteTokens: (sum?.cacheWriteTokens ?? 0) + count(turn.cacheWrite),
        conversationCostMicros: conversationMicros(costUsd) ?? sum?.conversationCostMicros ?? null,
        model,
      };
      isUntold = true;
    },
    total() {
      isUntold = false;
      return sum;
    },
    get isUntold() {
      return isUntold;
    },
  };
}

const countMax = 1e12;

/** What an agent tells is not always a number that a report may hold. */
function count(told: number): number {
  return Number.isFinite(told) ? Math.min(countMax, Math.max(0, Math.trunc(told))) : 0;
}

function micros(usd: number | null): number | null {
  if (usd === null || !Number.isFinite(usd) || usd < 0) return null;
  return Math.min(countMax, Math.round(usd * 1_000_000));
}
