/**
 * Claude Code's story, line by line, as events.
 *
 * Law: a line of an unknown kind is told as `log`, whole up to 2000 characters; one that is known and says
 * nothing to us is left out by name.
 */
import { apiErrorKind } from './api-error.ts';
import { resultErrors, turnEndOf, usageOf } from './claude-result.ts';
import { kindOf, resultText, titleOf } from './claude-tools.ts';
import type { ClaudeTurn } from './claude-turn.ts';
import { plainToolName } from './claude-turn.ts';
import type { DialectLink } from './dialect.ts';
import type { Json } from './json.ts';
import { numberOf, objectOf, objectsOf, textOf, textsOf } from './json.ts';
import { startFailure } from './start-failure.ts';

export interface ClaudeStory {
  readonly link: DialectLink;
  readonly turn: ClaudeTurn;
  readonly sessionId: string;
  readonly resumed: boolean;
  started: boolean;
  /** A usage limit rejected the last request. */
  limited: boolean;
  /** The API is being retried. */
  retrying: boolean;
  /** Blocks seen of each message, to name them as the stream does. */
  readonly blocks: Map<string, number>;
  /** Messages of which this process told a receipt, and those of them that were read. */
  readonly known: Set<string>;
  readonly read: Set<string>;
}

type Reader = (story: ClaudeStory, line: Json) => void;

const readers: Readonly<Record<string, Reader>> = {
  system: readSystem,
  stream_event: readStream,
  assistant: readAssistant,
  user: readUser,
  command_lifecycle: readReceipt,
  tool_progress: readProgress,
  rate_limit_event: readLimit,
  transcript_mirror: readMirror,
  result: readResult,
};

const silent: ReadonlySet<string> = new Set(['keep_alive', 'attachment', 'prompt_suggestion']);

const silentSystem: ReadonlySet<string> = new Set([
  'session_title_changed',
  'background_tasks_changed',
  'task_started',
  'task_updated',
  'task_notification',
  'hook_started',
  'hook_progress',
  'hook_response',
]);

export function readLine(story: ClaudeStory, line: Json): void {
  const type = textOf(line.type) ?? '';
  const reader = readers[type];
  if (reader !== undefined) reader(story, line);
  else if (!silent.has(type)) logUnknown(story, line);
}

function logUnknown({ link }: ClaudeStory, line: Json): void {
  const text = JSON.stringify(line).slice(0, 2000);
  link.emit({ t: 'log', stream: 'stdout', line: text, cutBytes: 0 });
}

function readSystem(story: ClaudeStory, line: Json): void {
  const subtype = textOf(line.subtype) ?? '';
  if (subtype === 'init') readInit(story, line);
  else if (subtype === 'session_state_changed') readState(story, line);
  else if (subtype === 'api_retry') readRetry(story, line);
  else if (subtype === 'compact_boundary') story.link.emit({ t: 'compacted' });
  else if (subtype === 'task_progress') readTaskProgress(story, line);
  else if (subtype !== 'status' && !silentSystem.has(subtype)) logUnknown(story, line);
}

/** It comes with every turn; only the first one is news. */
function readInit(story: ClaudeStory, line: Json): void {
  if (story.started) return;
  story.started = true;
  story.link.emit({
    t: 'started',
    sessionId: textOf(line.session_id) ?? story.sessionId,
    model: textOf(line.model),
    tools: textsOf(line.tools).map(plainToolName),
    servers: objectsOf(line.mcp_servers).map((server) => ({
      name: textOf(server.name) ?? '',
      status: textOf(server.status) ?? '',
    })),
    version: textOf(line.claude_code_version) ?? '',
    resumed: story.resumed,
  });
}

function readState(story: ClaudeStory, line: Json): void {
  const { link, turn } = story;
  if (line.state === 'running') {
    turn.running = true;
    turn.interrupting = false;
    story.limited = false;
    link.emit({ t: 'state', state: 'working' });
  } else if (line.state === 'idle') {
    turn.running = false;
    link.emit({ t: 'state', state: story.limited ? 'limited' : 'idle' });
  } else if (line.state === 'requires_action') {
    link.emit({ t: 'state', state: 'waiting_input' });
  }
}

function readRetry(story: ClaudeStory, line: Json): void {
  const status = numberOf(line.error_status);
  const word = textOf(line.error);
  story.retrying = true;
  story.link.emit({
    t: 'retry',
    attempt: numberOf(line.attempt) ?? 0,
    max: numberOf(line.max_retries) ?? 0,
    delayMs: numberOf(line.retry_delay_ms) ?? 0,
    error: { kind: apiErrorKind(status, [word]), status, message: word ?? '' },
  });
  story.link.emit({ t: 'state', state: 'retrying' });
}

/** The model answers: what was retried has succeeded. */
function answered(story: ClaudeStory): void {
  if (!story.retrying) return;
  story.retrying = false;
  story.link.emit({ t: 'state', state: 'working' });
}

function readStream(story: ClaudeStory, line: Json): void {
  answered(story);
  const event = objectOf(line.event);
  if (event.type !== 'content_block_delta') return;
  const delta = objectOf(event.delta);
  const thinking = delta.type === 'thinking_delta';
  const text = thinking ? textOf(delta.thinking) : textOf(delta.text);
  const message = textOf(line.api_message_id);
  if (text === null || message === null) return;
  story.link.emit({
    t: 'text',
    messageId: `${message}.${numberOf(event.index) ?? 0}`,
    text,
    delta: true,
    thinking,
    parentTool: textOf(line.parent_tool_use_id),
  });
}

function readAssistant(story: ClaudeStory, line: Json): void {
  const message = objectOf(line.message);
  const parentTool = textOf(line.parent_tool_use_id);
  const id = textOf(message.id) ?? '';
  // What Claude Code itself says in the model's place is told by the result.
  if (message.model === '<synthetic>') return;
  answered(story);
  for (const block of objectsOf(message.content)) {
    const index = story.blocks.get(id) ?? 0;
    story.blocks.set(id, index + 1);
    const messageId = `${id}.${index}`;
    if (block.type === 'text' || block.type === 'thinking') {
      const thinking = block.type === 'thinking';
      const text = textOf(thinking ? block.thinking : block.text) ?? '';
      story.link.emit({ t: 'text', messageId, text, delta: false, thinking, parentTool });
    } else if (block.type === 'tool_use') {
      const name = textOf(block.name) ?? '';
      const input = objectOf(block.input);
      const toolId = textOf(block.id) ?? messageId;
      story.link.emit({
        t: 'tool_start',
        toolId,
        name: plainToolName(name),
        kind: kindOf(name),
        input,
        title: titleOf(name, input),
        parentTool,
      });
    }
  }
}

/** Results of tools; our own messages come back too, where their receipts tell more. */
function readUser(story: ClaudeStory, line: Json): void {
  const { link, turn } = story;
  const id = textOf(line.uuid);
  if (line.isReplay === true && id !== null && !story.known.has(id)) {
    // Nothing was queued: it stands in the conversation since before this process.
    link.emit({ t: 'message', id, state: 'done' });
  }
  for (const part of objectsOf(objectOf(line.message).content)) {
    if (part.type !== 'tool_result') continue;
    const toolId = textOf(part.tool_use_id) ?? '';
    const ok = part.is_error !== true;
    const end = !ok && turn.interrupting ? ('aborted' as const) : ('finished' as const);
    const cause = turn.denied.delete(toolId) ? ('denied' as const) : end;
    link.emit({ t: 'tool_end', toolId, ok, ...resultText(part.content), cause });
  }
}

function readReceipt({ link, read, known }: ClaudeStory, line: Json): void {
  const id = textOf(line.command_uuid);
  if (id === null) return;
  known.add(id);
  if (line.state === 'queued') link.emit({ t: 'message', id, state: 'queued' });
  else if (line.state === 'started') {
    read.add(id);
    link.emit({ t: 'message', id, state: 'delivered' });
  } else if (line.state === 'completed') link.emit({ t: 'message', id, state: 'done' });
  else if (line.state === 'cancelled') {
    // A message whose turn was broken off was read all the same.
    link.emit({ t: 'message', id, state: read.has(id) ? 'done' : 'cancelled' });
  }
}

function readProgress({ link }: ClaudeStory, line: Json): void {
  const toolId = textOf(line.parent_tool_use_id) ?? textOf(line.tool_use_id);
  if (toolId === null) return;
  const elapsedMs = Math.round((numberOf(line.elapsed_time_seconds) ?? 0) * 1000);
  link.emit({ t: 'tool_progress', toolId, elapsedMs, note: null });
}

function readTaskProgress({ link }: ClaudeStory, line: Json): void {
  const toolId = textOf(line.tool_use_id);
  if (toolId === null) return;
  const elapsedMs = numberOf(objectOf(line.usage).duration_ms) ?? 0;
  link.emit({ t: 'tool_progress', toolId, elapsedMs, note: textOf(line.summary) });
}

function readLimit(story: ClaudeStory, line: Json): void {
  const info = objectOf(line.rate_limit_info);
  if (info.status !== 'rejected' && info.status !== 'allowed_warning') return;
  const rejected = info.status === 'rejected';
  const window = textOf(info.rateLimitType);
  const used = objectOf(objectOf(info.unifiedWindows)[window ?? '']);
  const resetsAt = numberOf(info.resetsAt);
  story.limited = rejected;
  story.link.emit({
    t: 'limit',
    status: rejected ? 'rejected' : 'warning',
    window,
    utilization: numberOf(used.utilization) ?? numberOf(info.utilization),
    resetsAtMs: resetsAt === null ? null : resetsAt * 1000,
  });
}

/** Only the conversation's own file; those of sub-agents are not needed to resume. */
function readMirror({ link, sessionId }: ClaudeStory, line: Json): void {
  if (textOf(line.filePath)?.endsWith(`${sessionId}.jsonl`) !== true) return;
  const entries = Array.isArray(line.entries) ? line.entries : [];
  if (entries.length === 0) return;
  const lines = entries.map((entry) => JSON.stringify(entry));
  link.emit({ t: 'transcript', lines, replace: false });
}

function readResult(story: ClaudeStory, line: Json): void {
  const { link, sessionId } = story;
  const errors = resultErrors(line);
  if (errors.includes('No conversation found')) {
    link.fail(
      startFailure('no_conversation', `No conversation found with session id ${sessionId}.`),
    );
  }
  story.retrying = false;
  story.turn.interrupting = false;
  story.blocks.clear();
  link.emit(usageOf(line));
  link.emit(turnEndOf(line));
}
