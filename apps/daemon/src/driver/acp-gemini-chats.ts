/**
 * Gemini CLI's own record of a conversation, made ready to be loaded again by another process of it.
 *
 * It loads a session by opening a fresh one of the same id first; within the same minute that one has the same
 * file, and its first lines say that the conversation is empty. So what stands in the file is moved to one of a
 * date long gone. What it tells of the past while it loads comes in any order with its answer, so a last entry
 * is added that its model never sees and whose telling ends the past.
 *
 * Law: only files in our own home of it are touched, and only while no process of it runs.
 */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ownFolder, writeJson } from './acp-home.ts';
import type { Json } from './json.ts';
import { jsonOf, objectOf, objectsOf, textOf } from './json.ts';

/** Gemini leaves out of a conversation what begins so. */
const unseen = '<hook_context>makima: ';
/** The name under which it files whatever directory it works in. */
const project = 'work';

/** Files the working directory under one name, so that its conversations are found from any directory. */
export function fileUnder(own: string, cwd: string): void {
  const path = resolve(cwd);
  writeJson(join(own, 'projects.json'), { projects: { [path]: project } });
  for (const base of ['tmp', 'history']) {
    const folder = ownFolder(join(own, base, project));
    writeFileSync(join(folder, '.project_root'), path, { mode: 0o600 });
  }
}

/** The words that end what is told of the past when this session is loaded; null: there is nothing to load. */
export function readyToLoad(own: string, sessionId: string): string | null {
  const chats = join(own, 'tmp', project, 'chats');
  const found = readChats(chats)
    .filter((chat) => chat.head.sessionId === sessionId)
    .toSorted((a, b) => a.messages.length - b.messages.length)
    .at(-1);
  if (found === undefined || !found.messages.some(isSaid)) return null;
  const end = `${unseen}${randomUUID()}`;
  const last = { id: randomUUID(), timestamp: new Date().toISOString(), type: 'user' };
  const lines = [found.head, ...found.messages, { ...last, content: [{ text: end }] }];
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  const name = `session-2000-01-01T00-00-${sessionId.slice(0, 8)}.jsonl`;
  writeFileSync(join(chats, `${name}.new`), text, { mode: 0o600 });
  for (const old of readdirSync(chats)) {
    if (old.startsWith('session-') && !old.endsWith('.new')) rmSync(join(chats, old));
  }
  renameSync(join(chats, `${name}.new`), join(chats, name));
  return end;
}

interface Chat {
  readonly head: Json;
  readonly messages: readonly Json[];
}

function readChats(folder: string): readonly Chat[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .filter((name) => name.startsWith('session-') && name.endsWith('.jsonl'))
    .map((name) => readChat(readFileSync(join(folder, name), 'utf8')));
}

/** The file's changes, carried out: entries by their id, the newest of each, without those taken back. */
function readChat(text: string): Chat {
  let head: Json = {};
  let messages = new Map<string, Json>();
  for (const line of text.split('\n')) {
    const entry = jsonOf(line) ?? {};
    const set = objectOf(entry.$set);
    if (typeof entry.$rewindTo === 'string') messages = before(messages, entry.$rewindTo);
    else if (typeof entry.id === 'string') messages.set(entry.id, entry);
    else {
      const { messages: all, ...rest } = entry.$set === undefined ? entry : set;
      head = { ...head, ...rest };
      if (Array.isArray(all)) {
        messages = new Map(objectsOf(all).map((message) => [textOf(message.id) ?? '', message]));
      }
    }
  }
  return { head, messages: [...messages.values()].filter((message) => !isMark(message)) };
}

/** Without that entry and all after it; an id that is unknown takes all back. */
function before(messages: ReadonlyMap<string, Json>, id: string): Map<string, Json> {
  const ids = [...messages.keys()];
  return new Map([...messages].slice(0, Math.max(0, ids.indexOf(id))));
}

const textIn = ({ content }: Json): string =>
  textOf(content) ??
  objectsOf(content)
    .map((part) => textOf(part.text) ?? '')
    .join('');

const isMark = (message: Json): boolean => textIn(message).startsWith(unseen);

/** More than the context that Gemini itself puts at the beginning. */
function isSaid(message: Json): boolean {
  if (message.type !== 'user') return message.type === 'gemini';
  return !/^\s*(<session_context>|<hook_context>|$)/.test(textIn(message));
}
