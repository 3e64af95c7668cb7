/**
 * The conversation of a scripted agent: one append-only file of JSON lines. What was done is not done again
 * when the lines are read back, what was only begun is: that is how it goes on after a kill.
 *
 * Law: a line is written before the step it announces and after the step it reports; a last line that was cut
 * never happened. Every line is also told to the driver, so the same lines restore it elsewhere.
 */
import { appendFileSync, mkdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ApiError, Tokens, TurnOutcome } from '../driver/events.ts';

export type Entry =
  | { readonly t: 'session'; readonly v: 1; readonly sessionId: string }
  /** The script, once; `letter` is the message that asked for it. */
  | {
      readonly t: 'script';
      readonly source: string;
      readonly text: string;
      readonly letter: string | null;
    }
  /** A message was taken over. */
  | {
      readonly t: 'message';
      readonly id: string;
      readonly text: string;
      /** Not to be read before the running turn is over. */
      readonly later: boolean;
    }
  /** The agent has read it. */
  | { readonly t: 'read'; readonly id: string }
  /** A step or an answer has dealt with it. */
  | { readonly t: 'used'; readonly id: string }
  | { readonly t: 'turn'; readonly n: number; readonly key: string }
  | {
      readonly t: 'turn_end';
      readonly n: number;
      readonly outcome: TurnOutcome;
      readonly text: string;
      readonly error: ApiError | null;
      readonly turn: Tokens;
      /** The next message lets it go on where it was. */
      readonly resumable: boolean;
    }
  /** A step begins; `note` is what it needs to know if it is begun again. */
  | { readonly t: 'begin'; readonly key: string; readonly args: unknown; readonly note: unknown }
  /** A step's tool said "still pending" and is asked again, the n-th time. */
  | { readonly t: 'again'; readonly key: string; readonly n: number; readonly call: unknown }
  | { readonly t: 'end'; readonly key: string; readonly value: unknown }
  | { readonly t: 'said'; readonly text: string }
  /** What a step said that it used of a model, once. */
  | { readonly t: 'spent'; readonly key: string; readonly tokens: Tokens; readonly usd: number };

export interface Conversation {
  readonly entries: readonly Entry[];
  /** The whole file as lines. */
  readonly lines: readonly string[];
  append(entry: Entry): void;
}

/** Starts a conversation. Null when there is one already (in which at least a message was taken over). */
export function createConversation(
  path: string,
  sessionId: string,
  onLine: (line: string) => void,
): Conversation | null {
  if (readLines(path).some((line) => parseEntry(line)?.t === 'message')) return null;
  rmSync(path, { force: true });
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const conversation = writer(path, [], onLine);
  conversation.append({ t: 'session', v: 1, sessionId });
  return conversation;
}

/** Opens what is there. Null when there is nothing of that session, or no message was ever taken over. */
export function openConversation(
  path: string,
  sessionId: string,
  onLine: (line: string) => void,
): Conversation | null {
  const known = readLines(path);
  const entries = known.map(parseEntry);
  const [first] = entries;
  if (first?.t !== 'session' || first.sessionId !== sessionId) return null;
  return entries.some((entry) => entry?.t === 'message') ? writer(path, known, onLine) : null;
}

/** Whole lines; a last one that was cut is taken off the file. */
function readLines(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole));
  return whole.split('\n').filter((line) => line !== '');
}

function writer(path: string, known: string[], onLine: (line: string) => void): Conversation {
  const lines = [...known];
  const entries = lines.map(parseEntry).filter((entry): entry is Entry => entry !== null);
  return {
    entries,
    lines,
    append(entry) {
      const line = JSON.stringify(entry);
      appendFileSync(path, `${line}\n`, { mode: 0o600 });
      entries.push(entry);
      lines.push(line);
      onLine(line);
    },
  };
}

function parseEntry(line: string): Entry | null {
  try {
    const value = JSON.parse(line) as Entry;
    return typeof value === 'object' && value !== null && typeof value.t === 'string'
      ? value
      : null;
  } catch {
    return null;
  }
}
