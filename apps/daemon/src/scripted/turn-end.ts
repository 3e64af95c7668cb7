/**
 * How a turn of the scripted agent ends: with an outcome, a last word and a count of what it used.
 *
 * Law: the end is written before it is told; who missed it is told again.
 */
import type { ApiError, Tokens, TurnOutcome } from '../driver/events.ts';
import type { Host } from './host.ts';
import { TurnOver } from './host.ts';
import { addTokens, noTokens, totalTokens } from './progress.ts';
import { ScriptError } from './script.ts';
import { totalUsd } from './spend.ts';

export interface Ending {
  readonly outcome: TurnOutcome;
  /** Empty: the last thing that was said. */
  readonly text: string;
  readonly error: ApiError | null;
}

export const completed: Ending = { outcome: 'completed', text: '', error: null };

/** The ending that the body gives or throws. */
export async function endingOf(body: () => Promise<Ending>): Promise<Ending> {
  try {
    return await body();
  } catch (cause) {
    if (cause instanceof TurnOver) return cause;
    const message = (cause as Error).message;
    const kind = cause instanceof ScriptError ? ('invalid' as const) : ('unknown' as const);
    return { outcome: 'failed', text: message, error: { kind, status: null, message } };
  }
}

/** How the turn before this one ended. */
export function lastEnding(host: Host): Ending {
  const last = host.conversation.entries.findLast((entry) => entry.t === 'turn_end');
  return last?.t === 'turn_end' ? last : completed;
}

export function endTurn(host: Host, n: number, ending: Ending): void {
  const { conversation } = host;
  const { outcome, error } = ending;
  const turn = tokensSinceLastTurn(host);
  const said = conversation.entries.findLast((entry) => entry.t === 'said');
  const text = ending.text === '' && said?.t === 'said' ? said.text : ending.text;
  const limited = error?.kind === 'rate_limit';
  const resumable = outcome === 'interrupted' || limited;
  conversation.append({ t: 'turn_end', n, outcome, text, error, turn, resumable });
  const total = totalTokens(conversation.entries);
  const costUsd = totalUsd(conversation.entries);
  host.emit({ t: 'usage', turn, total, costUsd, contextSize: null });
  host.ledger.note('turn_end', { outcome });
  host.emit({ t: 'turn_end', outcome, text, error, deferred: null });
  host.mailbox.turnOver();
  host.emit({ t: 'state', state: limited ? 'limited' : 'idle' });
}

/** Four characters are a token: messages are input, what was said is output. */
function tokensSinceLastTurn(host: Host): Tokens {
  const { entries } = host.conversation;
  const from = entries.findLastIndex((entry) => entry.t === 'turn_end') + 1;
  return entries.slice(from).reduce((sum, entry) => {
    if (entry.t !== 'message' && entry.t !== 'said') return sum;
    const size = Math.ceil(entry.text.length / 4);
    return addTokens(sum, { ...noTokens, [entry.t === 'said' ? 'output' : 'input']: size });
  }, noTokens);
}
