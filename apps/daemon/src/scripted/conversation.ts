/**
 * The conversation of a scripted agent: one append-only file of JSON lines. What was done is not done again
 * when the lines are read back, what was only begun is: that is how it goes on after a kill.
 *
 * Law: a line is written before the step it announces and after the step it reports; a last line that was cut
 * never happened. Every line is also told to the driver, so the same lines restore it elsewhere.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Tokens, TurnOutcome } from '../driver/events.ts';

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
      readonly turn: Tokens;
      /** The next message lets it go on where it was. */
      readonly resumable: boolean;
    }
  /** A step begins; `note` is what it needs to know if it is begun again. */
  | { readonly t: 'begin'; readonly key: string; readonly args: unknown; readonly note: unknown }
  /** A step's tool said "still pending" and is asked again, the n-th time. */
  | { readonly t: 'again'; readonly key: string; readonly n: number; readonly call: unknown }
  | { readonly t: 'end'; readonly key: string; readonly value: unknown }
  | { readonly t: 'said'; readonly text: string };

export interface Conversation {
  readonly entries: readonly Entry[];
  /** The whole file as lines. */
  readonly lines: readonly string[];
  append(entry: Entry): void;
}

/** Starts an empty conversation. Null when the file is already there. */
export function createConversation(
  path: string,
  sessionId: string,
  onLine: (line: string) => void,
): Conversation | null {
  if (existsSync(path)) return null;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const conversation = writer(path, [], onLine);
  conversation.append({ t: 'session', v: 1, sessionId });
  return conversation;
}

/** Opens what is there. Null when there is nothing of that session. */
export function openConversation(
  path: string,
  sessionId: string,
  onLine: (line: string) => void,
): Conversation | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return null;
  }
  const lines = text.slice(0, text.lastIndexOf('\n') + 1);
  if (lines.length < text.length) truncateSync(path, Buffer.byteLength(lines));
  const known = lines.split('\n').filter((line) => line !== '');
  const first = known.length === 0 ? null : parseEntry(known[0] as string);
  if (first === null || first.t !== 'session' || first.sessionId !== sessionId) return null;
  return writer(path, known, onLine);
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
