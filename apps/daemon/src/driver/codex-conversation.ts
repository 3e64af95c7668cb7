/**
 * Where a conversation with Codex is kept: one folder each, over all runs, with the one file ("rollout") in
 * which Codex writes down everything and from which alone it goes on.
 *
 * Law: a conversation is its lines: written back whole (temporary file, then rename), read as they are. Codex
 * chooses its own name for it, which stands in the first line, so that the lines are all that must travel. A
 * line that a kill has cut is taken off before Codex writes behind it.
 */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { StartSpec } from './driver.ts';
import { jsonOf, objectOf, textOf } from './json.ts';
import { startFailure } from './start-failure.ts';

export interface CodexConversation {
  /** Codex's own name of it. */
  readonly threadId: string;
  readonly path: string;
  readonly lines: readonly string[];
  /** Ids of the messages that stand in it. */
  readonly messageIds: readonly string[];
}

/** @throws MakimaError reason `bad_spec` for an id that is no name of a folder. */
export function conversationFolder(sessionsDir: string, sessionId: string): string {
  if (!/^[\w-]{1,100}$/.test(sessionId)) {
    throw startFailure('bad_spec', `"${sessionId}" is not a session id.`);
  }
  return join(sessionsDir, 'codex', sessionId);
}

/**
 * The conversation that is resumed (null for a new one), written back first when it was given.
 * @throws MakimaError reasons `no_conversation` and `in_use`, before anything is started.
 */
export async function prepareConversation(
  folder: string,
  spec: StartSpec,
): Promise<CodexConversation | null> {
  if (spec.transcript !== undefined) await writeBack(folder, spec.transcript);
  const found = readConversation(folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (spec.mode === 'resume') {
    if (found !== null) return found;
    throw noConversation(spec.sessionId);
  }
  if (found === null) return null;
  throw startFailure('in_use', `Session id ${spec.sessionId} is already in use.`);
}

export function noConversation(sessionId: string): Error {
  return startFailure('no_conversation', `No conversation found with session id ${sessionId}.`, {
    fix: 'Give its transcript, or start a new conversation.',
  });
}

function readConversation(folder: string): CodexConversation | null {
  for (const path of rolloutsBelow(folder)) {
    const text = readFileSync(path, 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const lines = whole.split('\n').filter((line) => line !== '');
    const threadId = threadIdOf(lines[0]);
    if (threadId === null) continue;
    if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole));
    const messageIds = lines.map(messageIdOf).filter((id) => id !== null);
    return { threadId, path, lines, messageIds };
  }
  return null;
}

function rolloutsBelow(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /(^|\/)rollout-[^/]*\.jsonl$/.test(name))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

async function writeBack(
  folder: string,
  given: readonly string[] | AsyncIterable<string>,
): Promise<void> {
  const lines: string[] = [];
  for await (const line of given) lines.push(line);
  const threadId = threadIdOf(lines[0]);
  if (threadId === null) return;
  rmSync(folder, { recursive: true, force: true });
  // Codex finds a conversation by the name of its file; the day in it may be any.
  const day = join(folder, '2000', '01', '01');
  mkdirSync(day, { recursive: true, mode: 0o700 });
  const path = join(day, `rollout-2000-01-01T00-00-00-${threadId}.jsonl`);
  writeFileSync(`${path}.new`, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function threadIdOf(firstLine: string | undefined): string | null {
  const line = jsonOf(firstLine ?? '');
  if (line?.type !== 'session_meta') return null;
  const id = textOf(objectOf(line.payload).id);
  return id !== null && /^[\w-]{1,100}$/.test(id) ? id : null;
}

/** The id of the message that a line takes into the conversation, or null. */
export function messageIdOf(line: string): string | null {
  if (!line.includes('"client_id"')) return null;
  const payload = objectOf(jsonOf(line)?.payload);
  const item = objectOf(payload.item);
  return payload.type === 'item_completed' && item.type === 'UserMessage'
    ? textOf(item.client_id)
    : null;
}
