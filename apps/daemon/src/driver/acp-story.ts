/**
 * What an agent tells of its turn (`session/update`), as events, and as lines of the record.
 *
 * Law: a message told in pieces comes once whole; a tool that was told has an end; an update of an unknown
 * kind is a `log`, one that is known and says nothing to us is left out by name.
 */
import type { AcpProfile } from './acp-profile.ts';
import type { RecordLine } from './acp-record.ts';
import type { DialectLink } from './dialect.ts';
import type { EventOf, ToolKind } from './events.ts';
import type { Json } from './json.ts';
import { isJson, numberOf, objectOf, objectsOf, textOf } from './json.ts';

export interface AcpStory {
  read(update: Json): void;
  /** The tool call that a request for permission is about; it is told if it was not. */
  toolOf(call: Json): SeenTool;
  /** A person, or we in their place, refused the call. */
  deny(toolId: string): void;
  /** The turn begins: what it says from here on is its own. */
  begin(): void;
  /** The turn is over: what is open is closed. Returns its last words. */
  close(cause: EventOf<'tool_end'>['cause']): string;
  /** Tools that have ended since the turn began. */
  readonly finished: number;
  /** As the agent told last: since its conversation began. */
  readonly costUsd: number | null;
  readonly contextSize: number | null;
}

export interface SeenTool {
  readonly toolId: string;
  readonly name: string;
  kind: ToolKind;
  title: string;
  input: unknown;
  started: boolean;
}

interface Desk extends StoryOptions {
  readonly tools: Map<string, SeenTool>;
  /** Tools of this turn that have ended: what is told of them later is no news. */
  readonly ended: Set<string>;
  readonly denied: Set<string>;
  /** A turn runs. What is told outside of one (a conversation that is read again) was told before. */
  running: boolean;
  message: { readonly id: string; readonly of: string; text: string; thinking: boolean } | null;
  messages: number;
  lastWords: string;
  finished: number;
  costUsd: number | null;
  contextSize: number | null;
}

export interface StoryOptions {
  readonly link: DialectLink;
  readonly profile: Pick<AcpProfile, 'toolName' | 'isRefused'>;
  readonly record: (line: RecordLine) => void;
  /** We broke the turn off: what a tool says of its end is no success. */
  readonly isBroken: () => boolean;
}

const shownLength = 16 * 1024;
const titleLength = 200;

const kinds: Readonly<Record<string, ToolKind>> = {
  execute: 'shell',
  edit: 'edit',
  delete: 'edit',
  move: 'edit',
  read: 'read',
  search: 'read',
  fetch: 'read',
};

const silent: ReadonlySet<string> = new Set([
  'user_message_chunk',
  'available_commands_update',
  'current_mode_update',
  'config_option_update',
  'session_info_update',
]);

export function acpStory(options: StoryOptions): AcpStory {
  const desk: Desk = {
    ...options,
    tools: new Map(),
    ended: new Set(),
    denied: new Set(),
    running: false,
    message: null,
    messages: 0,
    lastWords: '',
    finished: 0,
    costUsd: null,
    contextSize: null,
  };
  return {
    read: (update) => readUpdate(desk, update),
    toolOf(call) {
      const tool = seen(desk, call);
      begin(desk, tool);
      return tool;
    },
    deny: (toolId) => void desk.denied.add(toolId),
    begin() {
      desk.running = true;
      desk.lastWords = '';
      desk.finished = 0;
    },
    close(cause) {
      flush(desk);
      for (const tool of desk.tools.values())
        if (tool.started) end(desk, tool, { ok: false, cause });
      desk.tools.clear();
      desk.ended.clear();
      desk.denied.clear();
      desk.running = false;
      return desk.lastWords;
    },
    get finished() {
      return desk.finished;
    },
    get costUsd() {
      return desk.costUsd;
    },
    get contextSize() {
      return desk.contextSize;
    },
  };
}

function readUpdate(desk: Desk, update: Json): void {
  const kind = textOf(update.sessionUpdate) ?? '';
  if (kind === 'usage_update') readUsage(desk, update);
  else if (!desk.running) return;
  else if (kind === 'agent_message_chunk' || kind === 'agent_thought_chunk') {
    readChunk(desk, update, kind === 'agent_thought_chunk');
  } else if (kind === 'tool_call' || kind === 'tool_call_update') readTool(desk, update);
  else if (kind === 'plan') log(desk, `Plan: ${planWords(update)}`, 'driver');
  else if (!silent.has(kind)) log(desk, JSON.stringify(update), 'stdout');
}

function log({ link }: Desk, line: string, stream: 'stdout' | 'driver'): void {
  link.emit({ t: 'log', stream, line: line.slice(0, 2000), cutBytes: 0 });
}

function planWords(update: Json): string {
  return objectsOf(update.entries)
    .map(({ content, status }) => `${textOf(content) ?? ''} (${textOf(status) ?? 'pending'})`)
    .join('; ');
}

function readChunk(desk: Desk, update: Json, thinking: boolean): void {
  const text = textOf(objectOf(update.content).text);
  if (text === null || text === '') return;
  const of = textOf(update.messageId) ?? '';
  const { message } = desk;
  if (message === null || message.thinking !== thinking || message.of !== of) {
    flush(desk);
    desk.messages += 1;
    desk.message = { id: `message-${desk.messages}`, of, text: '', thinking };
  }
  const open = desk.message as NonNullable<Desk['message']>;
  open.text += text;
  const { id: messageId } = open;
  desk.link.emit({ t: 'text', messageId, text, delta: true, thinking, parentTool: null });
}

/** The message that was told in pieces, whole. */
function flush(desk: Desk): void {
  const { message } = desk;
  if (message === null) return;
  desk.message = null;
  const { id: messageId, text, thinking } = message;
  desk.link.emit({ t: 'text', messageId, text, delta: false, thinking, parentTool: null });
  if (thinking) return;
  desk.lastWords = text;
  desk.record({ t: 'agent', text });
}

function readTool(desk: Desk, update: Json): void {
  if (desk.ended.has(textOf(update.toolCallId) ?? '')) return;
  flush(desk);
  const tool = seen(desk, update);
  const status = textOf(update.status);
  // A call that is still being written has neither its input nor its title yet.
  if (status === 'in_progress') begin(desk, tool);
  if (status !== 'completed' && status !== 'failed') return;
  begin(desk, tool);
  const { output, truncated } = outputOf(update);
  const aborted = desk.isBroken();
  const cause = desk.denied.has(tool.toolId) ? 'denied' : aborted ? 'aborted' : 'finished';
  desk.finished += 1;
  const succeeded = status === 'completed' && !desk.profile.isRefused(update);
  end(desk, tool, { ok: succeeded && cause === 'finished', output, truncated, cause });
}

/** What is known of a call, with what this update adds. */
function seen(desk: Desk, update: Json): SeenTool {
  const toolId = textOf(update.toolCallId) ?? '';
  const title = textOf(update.title);
  const tool = desk.tools.get(toolId) ?? fresh(desk, toolId, textOf(update.name), title ?? '');
  desk.tools.set(toolId, tool);
  const kind = kinds[textOf(update.kind) ?? ''];
  if (kind !== undefined && tool.kind !== 'mcp') tool.kind = kind;
  if (title !== null) tool.title = title.replaceAll(/\s+/g, ' ').slice(0, titleLength);
  if (isJson(update.rawInput)) tool.input = update.rawInput;
  return tool;
}

function fresh(desk: Desk, toolId: string, name: string | null, title: string): SeenTool {
  const told = name ?? desk.profile.toolName({ toolId, title });
  // Tools of makima have their plain name, whatever the agent puts before it.
  const own = /(?:makima_+|^)(makima_[a-z_]+)$/.exec(told);
  const kind = own === null ? 'other' : 'mcp';
  return { toolId, name: own?.[1] ?? told, kind, title, input: {}, started: false };
}

function begin({ link, record }: Desk, tool: SeenTool): void {
  if (tool.started) return;
  tool.started = true;
  const { toolId, name, kind, input, title } = tool;
  link.emit({ t: 'tool_start', toolId, name, kind, input, title, parentTool: null });
  record({ t: 'call', toolId, title: title === name ? name : `${name}: ${title}`, input });
}

interface ToolEnd {
  readonly ok: boolean;
  readonly cause: EventOf<'tool_end'>['cause'];
  readonly output?: string;
  readonly truncated?: boolean;
}

function end(desk: Desk, tool: SeenTool, how: ToolEnd): void {
  const { toolId } = tool;
  desk.tools.delete(toolId);
  desk.ended.add(toolId);
  const cause = desk.denied.has(toolId) ? 'denied' : how.cause;
  const { ok, output = '', truncated = false } = how;
  desk.link.emit({ t: 'tool_end', toolId, ok, output, truncated, cause });
  desk.record({ t: 'result', toolId, ok, output: output === '' ? cause : output });
}

function outputOf(update: Json): { readonly output: string; readonly truncated: boolean } {
  const parts = objectsOf(update.content).map(partText);
  const raw = update.rawOutput;
  const rest = textOf(raw) ?? (raw === undefined || raw === null ? '' : JSON.stringify(raw));
  const text = parts.length > 0 ? parts.join('\n') : rest;
  return { output: text.slice(0, shownLength), truncated: text.length > shownLength };
}

function partText(part: Json): string {
  if (part.type === 'diff') return `[changes ${textOf(part.path) ?? 'a file'}]`;
  return textOf(objectOf(part.content).text) ?? `[${textOf(part.type) ?? 'content'}]`;
}

function readUsage(desk: Desk, update: Json): void {
  const cost = objectOf(update.cost);
  if (cost.currency === 'USD') desk.costUsd = numberOf(cost.amount);
  desk.contextSize = numberOf(update.size) ?? desk.contextSize;
}
