/**
 * Tokens of a turn, out of the running totals that Codex tells after each request.
 *
 * Law: what was used before this process is not this turn's; Codex's input includes what came from its cache,
 * ours does not.
 */
import type { EventOf, Tokens } from './events.ts';
import type { Json } from './json.ts';
import { numberOf, objectOf } from './json.ts';

export interface CodexUsage {
  see(tokenUsage: Json): void;
  turnBegins(): void;
  /** Null when nothing was told in this turn, or all of it was asked for already. */
  turnEnds(): EventOf<'usage'> | null;
}

export function codexUsage(): CodexUsage {
  let total: Tokens | null = null;
  let before: Tokens | null = null;
  let contextSize: number | null = null;
  let isTold = false;
  return {
    see(tokenUsage) {
      total = tokensOf(objectOf(tokenUsage.total));
      before ??= minus(total, tokensOf(objectOf(tokenUsage.last)));
      contextSize = numberOf(tokenUsage.modelContextWindow);
      isTold = true;
    },
    turnBegins() {
      before = total;
      isTold = false;
    },
    turnEnds() {
      if (!isTold || total === null || before === null) return null;
      const turn = minus(total, before);
      before = total;
      isTold = false;
      return { t: 'usage', turn, total, costUsd: null, contextSize };
    },
  };
}

function tokensOf(told: Json): Tokens {
  const cacheRead = numberOf(told.cachedInputTokens) ?? 0;
  const cacheWrite = numberOf(told.cacheWriteInputTokens) ?? 0;
  const input = (numberOf(told.inputTokens) ?? 0) - cacheRead - cacheWrite;
  return {
    input: Math.max(0, input),
    output: numberOf(told.outputTokens) ?? 0,
    cacheRead,
    cacheWrite,
  };
}

function minus(a: Tokens, b: Tokens): Tokens {
  return {
    input: a.input - b.input,
    output: a.output - b.output,
    cacheRead: a.cacheRead - b.cacheRead,
    cacheWrite: a.cacheWrite - b.cacheWrite,
  };
}
