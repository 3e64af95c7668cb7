/**
 * The line that ends a turn of Claude Code: what came of it, and what it cost.
 *
 * Law: judged by `is_error`, `terminal_reason` and the API's status; `subtype: "success"` means nothing.
 */
import { apiErrorKind } from './api-error.ts';
import type { EventOf, Tokens, TurnOutcome } from './events.ts';
import type { Json } from './json.ts';
import { numberOf, objectOf, textOf, textsOf } from './json.ts';

export function turnEndOf(result: Json): EventOf<'turn_end'> {
  const outcome = outcomeOf(result);
  const deferred = objectOf(result.deferred_tool_use);
  return {
    t: 'turn_end',
    outcome,
    text: textOf(result.result) ?? '',
    error: outcome === 'failed' || outcome === 'too_long' ? errorOf(result) : null,
    deferred:
      outcome === 'deferred'
        ? {
            toolId: textOf(deferred.id) ?? '',
            name: textOf(deferred.name) ?? '',
            input: deferred.input ?? null,
          }
        : null,
  };
}

function outcomeOf(result: Json): TurnOutcome {
  const reason = textOf(result.terminal_reason) ?? '';
  if (reason === 'tool_deferred') return 'deferred';
  if (result.subtype === 'error_max_turns') return 'max_turns';
  if (result.subtype === 'error_max_budget_usd') return 'max_budget';
  if (reason.startsWith('aborted')) return 'interrupted';
  if (reason === 'prompt_too_long') return 'too_long';
  return result.is_error === true ? 'failed' : 'completed';
}

function errorOf(result: Json): EventOf<'turn_end'>['error'] {
  const status = numberOf(result.api_error_status);
  const told = textOf(result.result) ?? textsOf(result.errors).join('; ');
  const words = [textOf(result.terminal_reason), textOf(result.api_error_type), told];
  const kind =
    result.terminal_reason === 'prompt_too_long'
      ? 'too_long'
      : apiErrorKind(status, words.slice(1));
  return { kind, status, message: told || (words[0] ?? 'The turn failed.') };
}

/** The errors of a result that came before anything else, e.g. an unknown conversation. */
export function resultErrors(result: Json): string {
  return textsOf(result.errors).join('; ');
}

export function usageOf(result: Json): EventOf<'usage'> {
  const turn = objectOf(result.usage);
  const models = Object.values(objectOf(result.modelUsage)).map(objectOf);
  const sum = (key: string) =>
    models.reduce((total, model) => total + (numberOf(model[key]) ?? 0), 0);
  const total: Tokens = {
    input: sum('inputTokens'),
    output: sum('outputTokens'),
    cacheRead: sum('cacheReadInputTokens'),
    cacheWrite: sum('cacheCreationInputTokens'),
  };
  const sizes = models.map((model) => numberOf(model.contextWindow) ?? 0);
  return {
    t: 'usage',
    turn: {
      input: numberOf(turn.input_tokens) ?? 0,
      output: numberOf(turn.output_tokens) ?? 0,
      cacheRead: numberOf(turn.cache_read_input_tokens) ?? 0,
      cacheWrite: numberOf(turn.cache_creation_input_tokens) ?? 0,
    },
    total,
    costUsd: numberOf(result.total_cost_usd),
    contextSize: Math.max(0, ...sizes) || null,
  };
}
