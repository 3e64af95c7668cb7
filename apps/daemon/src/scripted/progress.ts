/**
 * What a conversation says about where the script stands: which steps are done with which value, which was
 * begun, which turn was left open.
 *
 * Law: derived from the entries alone, so that the same lines give the same place on any machine.
 */
import { createHash } from 'node:crypto';
import type { Tokens } from '../driver/events.ts';
import type { Conversation, Entry } from './conversation.ts';

export interface Begun {
  readonly args: unknown;
  readonly note: unknown;
}

export interface Again {
  readonly n: number;
  readonly call: unknown;
}

export interface Progress {
  begun(key: string): Begun | null;
  /** The last repeated call of a step that was still pending. */
  again(key: string): Again | null;
  ended(key: string): { readonly value: unknown } | null;
  begin(key: string, args: unknown, note: unknown): void;
  repeat(key: string, again: Again): void;
  end(key: string, value: unknown): void;
}

export function progressOf(conversation: Conversation): Progress {
  const begun = new Map<string, Begun>();
  const again = new Map<string, Again>();
  const ended = new Map<string, { value: unknown }>();
  const note = (entry: Entry) => {
    if (entry.t === 'begin') begun.set(entry.key, { args: entry.args, note: entry.note });
    else if (entry.t === 'again') again.set(entry.key, { n: entry.n, call: entry.call });
    else if (entry.t === 'end') ended.set(entry.key, { value: entry.value });
  };
  const write = (entry: Entry) => {
    conversation.append(entry);
    note(entry);
  };
  for (const entry of conversation.entries) note(entry);
  return {
    begun: (key) => begun.get(key) ?? null,
    again: (key) => again.get(key) ?? null,
    ended: (key) => ended.get(key) ?? null,
    begin: (key, args, noted) => write({ t: 'begin', key, args, note: noted ?? null }),
    repeat: (key, { n, call }) => write({ t: 'again', key, n, call }),
    end: (key, value) => write({ t: 'end', key, value: value ?? null }),
  };
}

export interface OpenTurn {
  readonly n: number;
  /** `script` or `messages`. */
  readonly key: string;
  /** It was broken off in order: it goes on with the next message, not by itself. */
  readonly waits: boolean;
}

/** The turn that was begun and is not over: where a resume or the next message goes on. */
export function openTurn(entries: readonly Entry[]): OpenTurn | null {
  const begun = entries.findLast((entry) => entry.t === 'turn');
  const ended = entries.findLast((entry) => entry.t === 'turn_end' || entry.t === 'turn');
  if (begun?.t !== 'turn' || ended === undefined) return null;
  if (ended.t === 'turn') return { n: begun.n, key: begun.key, waits: false };
  return ended.t === 'turn_end' && ended.resumable
    ? { n: begun.n, key: begun.key, waits: true }
    : null;
}

export function turnCount(entries: readonly Entry[]): number {
  return entries.reduce((most, entry) => (entry.t === 'turn' ? Math.max(most, entry.n) : most), 0);
}

export const noTokens: Tokens = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

export function addTokens(a: Tokens, b: Tokens): Tokens {
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite: a.cacheWrite + b.cacheWrite,
  };
}

export function totalTokens(entries: readonly Entry[]): Tokens {
  return entries.reduce((sum, entry) => {
    if (entry.t === 'spent') return addTokens(sum, entry.tokens);
    return entry.t === 'turn_end' ? addTokens(sum, entry.turn) : sum;
  }, noTokens);
}

/** The stable id of a step of a session: tool-use id, message id or question id, by its first word. */
export function stepId(word: 'toolu' | 'msg' | 'ask', sessionId: string, key: string): string {
  const digest = createHash('sha256').update(`${sessionId} ${key}`).digest('hex');
  return `${word}_${digest.slice(0, 24)}`;
}
