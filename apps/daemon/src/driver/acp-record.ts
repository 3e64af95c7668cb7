/**
 * Makima's own record of a conversation with an agent that speaks ACP. The protocol says nothing of where an
 * agent keeps its conversations, or whether it can read them again; so what was said and done stands here: it
 * is the transcript that travels, the seed of a fresh conversation, and the memory of which messages were read.
 *
 * Law: one file per conversation, lines only added at its end; a message stands in it before the agent is
 * given it, so that after a crash it is known and never run twice.
 */
import {
  closeSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StartSpec } from './driver.ts';
import type { Tokens } from './events.ts';
import type { Json } from './json.ts';
import { jsonOf } from './json.ts';
import { startFailure } from './start-failure.ts';

export type RecordLine =
  /** An agent's session was opened; `seeded`: a fresh one, told what stands above. */
  | { readonly t: 'opened'; readonly agentSession: string; readonly seeded: boolean }
  /** A message was given to the agent. */
  | { readonly t: 'user'; readonly id: string; readonly text: string }
  | { readonly t: 'agent'; readonly text: string }
  | { readonly t: 'call'; readonly toolId: string; readonly title: string; readonly input: unknown }
  | { readonly t: 'result'; readonly toolId: string; readonly ok: boolean; readonly output: string }
  /** The turn of a message is over. */
  | {
      readonly t: 'over';
      readonly id: string;
      readonly outcome: string;
      readonly total: Tokens;
      readonly costUsd: number | null;
    };

export interface AcpRecord {
  /** What stood in it when it was opened, as it stood there. */
  readonly before: readonly string[];
  /** Adds a line and returns it as it stands in the file. */
  append(line: RecordLine): string;
  close(): void;
}

/** Folder of one conversation. @throws MakimaError reason `bad_spec` for an id that is no name of a folder. */
export function conversationFolder(sessionsDir: string, kind: string, sessionId: string): string {
  if (!/^[\w-]{1,100}$/.test(sessionId)) {
    throw startFailure('bad_spec', `"${sessionId}" is not a session id.`);
  }
  return join(sessionsDir, kind, sessionId);
}

/**
 * The record that a start goes on with, written back first when it was given.
 * @throws MakimaError reasons `no_conversation` and `in_use`, before anything is started.
 */
export async function openRecord(folder: string, spec: StartSpec): Promise<AcpRecord> {
  const path = join(folder, 'conversation.jsonl');
  if (spec.transcript !== undefined) await writeBack(folder, path, spec.transcript);
  const before = wholeLines(path);
  const known = before.some((line) => jsonOf(line)?.t === 'opened');
  if (spec.mode === 'resume' && !known) {
    throw startFailure(
      'no_conversation',
      `No conversation found with session id ${spec.sessionId}.`,
      { fix: 'Give its transcript, or start a new conversation.' },
    );
  }
  if (spec.mode === 'new' && known) {
    throw startFailure('in_use', `Session id ${spec.sessionId} is already in use.`);
  }
  return { before, ...appender(folder, path) };
}

/** The lines as what they say; those of another form are left out. */
export function storyOf(lines: readonly string[]): readonly RecordLine[] {
  return lines.map(jsonOf).filter(isRecordLine);
}

const known: ReadonlySet<unknown> = new Set<RecordLine['t']>([
  'opened',
  'user',
  'agent',
  'call',
  'result',
  'over',
]);

function isRecordLine(line: Json | null): line is RecordLine & Json {
  return line !== null && known.has(line.t);
}

function appender(folder: string, path: string): Pick<AcpRecord, 'append' | 'close'> {
  let file: number | null = null;
  return {
    append(line) {
      if (file === null) {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        file = openSync(path, 'a', 0o600);
      }
      const text = JSON.stringify(line);
      writeSync(file, `${text}\n`);
      // Whether a message was given must be known even when the machine loses its power.
      if (line.t === 'user') fdatasyncSync(file);
      return text;
    },
    close() {
      if (file !== null) closeSync(file);
      file = null;
    },
  };
}

async function writeBack(
  folder: string,
  path: string,
  given: readonly string[] | AsyncIterable<string>,
): Promise<void> {
  const lines: string[] = [];
  for await (const line of given) lines.push(`${line}\n`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await writeFile(`${path}.new`, lines.join(''), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** A last line that a kill has cut is taken off, so that the next one begins a line. */
function wholeLines(path: string): readonly string[] {
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
