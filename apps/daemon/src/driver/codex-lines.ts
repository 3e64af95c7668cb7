/**
 * What Codex tells while it works, line by line, as events.
 *
 * Law: a line of an unknown kind is told as `log`, whole up to 2000 characters; one that is known and says
 * nothing to us is left out by name. A turn's end closes all that the turn opened.
 */
import { apiErrorOf, errorNameOf, tryOf } from './codex-errors.ts';
import { isToolCall, toolEndOf, toolStartOf } from './codex-items.ts';
import type { CodexLimits } from './codex-limits.ts';
import type { CodexUsage } from './codex-usage.ts';
import type { DialectLink } from './dialect.ts';
import type { EventOf, TurnOutcome } from './events.ts';
import type { Json } from './json.ts';
import { isJson, objectOf, textOf, textsOf } from './json.ts';

export interface CodexStory {
  readonly link: DialectLink;
  readonly limits: CodexLimits;
  readonly usage: CodexUsage;
  /** Calls that were told and have not ended, with their inputs. */
  readonly openTools: Map<string, unknown>;
  /** Codex's name of the conversation, once it is known. */
  threadId: string | null;
  /** The turn that runs. */
  turnId: string | null;
  /** The last words of the turn. */
  lastText: string;
  /** The result of the turn of Codex's that this one goes on for; empty for one that stands by itself. */
  saidBefore: string;
  /** The model is being asked again. */
  retrying: boolean;
  /** The turn has its prompt, or the model has said something in it. */
  begun: boolean;
  /** The model has said nothing since a message was taken into the turn, other than the one that began it. */
  unread: boolean;
  readonly on: CodexHearers;
}

/** Who hears of what is not an event by itself. */
export interface CodexHearers {
  /** A turn is over; its end is told with `endTurn`. */
  turnOver(end: CodexTurnEnd): void;
  /** The end of that turn was told. */
  turnTold(turnId: string, end: CodexTurnEnd): void;
  /** A request of Codex's waits no more. */
  resolved(rpcId: unknown): void;
  /** A message of ours was taken into the turn. */
  messageSeen(messageId: string): void;
}

export interface CodexTurnEnd {
  readonly status: string;
  readonly error: Json | null;
}

type Reader = (story: CodexStory, params: Json) => void;

const readers: Readonly<Record<string, Reader>> = {
  'turn/started': readTurnStart,
  'turn/completed': readTurnEnd,
  'item/started': readItemStart,
  'item/completed': readItemEnd,
  'item/agentMessage/delta': readDelta,
  'item/mcpToolCall/progress': readProgress,
  'thread/tokenUsage/updated': ({ usage }, params) => usage.see(objectOf(params.tokenUsage)),
  'account/rateLimits/updated': ({ limits }, params) => limits.see(objectOf(params.rateLimits)),
  'mcpServer/startupStatus/updated': readServer,
  'serverRequest/resolved': (story, params) => story.on.resolved(params.requestId),
  error: readError,
};

const silent: ReadonlySet<string> = new Set([
  'thread/started',
  'thread/status/changed',
  'thread/readState/changed',
  'thread/settings/updated',
  'thread/name/updated',
  'thread/goal/updated',
  'thread/goal/cleared',
  'thread/queue/changed',
  'thread/closed',
  'thread/compacted',
  'thread/environment/connected',
  'thread/environment/disconnected',
  'turn/diff/updated',
  'turn/plan/updated',
  'item/plan/delta',
  'item/commandExecution/outputDelta',
  'item/commandExecution/terminalInteraction',
  'item/fileChange/outputDelta',
  'item/fileChange/patchUpdated',
  'item/reasoning/summaryTextDelta',
  'item/reasoning/summaryPartAdded',
  'item/reasoning/textDelta',
  'account/updated',
  'skills/changed',
  'deprecationNotice',
  // Codex says it on its stderr too.
  'configWarning',
  'remoteControl/status/changed',
  'rawResponseItem/completed',
]);

export function readNotification(story: CodexStory, line: Json): void {
  const method = textOf(line.method) ?? '';
  const params = objectOf(line.params);
  const thread = textOf(params.threadId);
  // Another conversation than ours: it is told where it was begun.
  if (thread !== null && story.threadId !== null && thread !== story.threadId) return;
  const reader = readers[method];
  if (reader !== undefined) reader(story, params);
  else if (!silent.has(method)) logLine(story, method, line);
}

function logLine({ link }: CodexStory, method: string, line: Json): void {
  const params = objectOf(line.params);
  const said = textOf(params.message);
  const text = said === null ? JSON.stringify(line) : `${method}: ${said}`;
  link.emit({ t: 'log', stream: 'stdout', line: text.slice(0, 2000), cutBytes: 0 });
}

function readTurnStart(story: CodexStory, params: Json): void {
  story.turnId = textOf(objectOf(params.turn).id);
  story.lastText = '';
  story.begun = false;
  story.unread = false;
  story.limits.turnBegins();
  story.usage.turnBegins();
  story.link.emit({ t: 'state', state: 'working' });
}

/** The model answers: it has read all that it was told, and what was tried again has succeeded. */
function answered(story: CodexStory): void {
  story.unread = false;
  story.begun = true;
  if (!story.retrying) return;
  story.retrying = false;
  story.link.emit({ t: 'state', state: 'working' });
}

function readDelta(story: CodexStory, params: Json): void {
  answered(story);
  const messageId = textOf(params.itemId) ?? '';
  const text = textOf(params.delta) ?? '';
  story.link.emit({
    t: 'text',
    messageId,
    text,
    delta: true,
    thinking: false,
    parentTool: null,
  });
}

function readItemStart(story: CodexStory, params: Json): void {
  const item = objectOf(params.item);
  if (item.type !== 'userMessage') answered(story);
  if (isToolCall(item)) openTool(story, item);
}

function openTool(story: CodexStory, item: Json): void {
  const start = toolStartOf(item);
  story.openTools.set(start.toolId, start.input);
  story.link.emit(start);
}

function readItemEnd(story: CodexStory, params: Json): void {
  const item = objectOf(params.item);
  if (item.type === 'userMessage') {
    story.unread = story.begun;
    story.begun = true;
    const id = textOf(item.clientId);
    if (id !== null) story.on.messageSeen(id);
  } else if (item.type === 'agentMessage') sayWhole(story, item, textOf(item.text) ?? '', false);
  else if (item.type === 'reasoning') {
    const thoughts = [...textsOf(item.summary), ...textsOf(item.content)].join('\n');
    if (thoughts !== '') sayWhole(story, item, thoughts, true);
  } else if (item.type === 'plan') sayWhole(story, item, textOf(item.text) ?? '', false);
  else if (item.type === 'contextCompaction') story.link.emit({ t: 'compacted' });
  else if (isToolCall(item)) closeTool(story, item);
}

function sayWhole(story: CodexStory, item: Json, text: string, thinking: boolean): void {
  const messageId = textOf(item.id) ?? '';
  if (!thinking) story.lastText = text;
  story.link.emit({ t: 'text', messageId, text, delta: false, thinking, parentTool: null });
}

/** A call whose turn is over was closed with it. One that Codex tells only of its end was short. */
function closeTool(story: CodexStory, item: Json): void {
  const end = toolEndOf(item);
  if (!story.openTools.has(end.toolId)) {
    if (story.turnId === null) return;
    openTool(story, item);
  }
  story.openTools.delete(end.toolId);
  story.link.emit(end);
}

function readProgress({ link }: CodexStory, params: Json): void {
  const note = textOf(params.message);
  const toolId = textOf(params.itemId);
  if (toolId !== null) link.emit({ t: 'tool_progress', toolId, elapsedMs: 0, note });
}

function readServer({ link }: CodexStory, params: Json): void {
  if (params.status !== 'failed') return;
  const why = textOf(params.error) ?? 'no reason given';
  const line = `The tool server ${String(params.name)} did not start: ${why}`;
  link.emit({ t: 'log', stream: 'driver', line, cutBytes: 0 });
}

function readError(story: CodexStory, params: Json): void {
  // One that it does not try again is told by the end of its turn.
  if (params.willRetry !== true) return;
  const error = objectOf(params.error);
  story.retrying = true;
  story.link.emit({ t: 'retry', ...tryOf(error), delayMs: 0, error: apiErrorOf(error) });
  story.link.emit({ t: 'state', state: 'retrying' });
}

function readTurnEnd(story: CodexStory, params: Json): void {
  const turn = objectOf(params.turn);
  const error = isJson(turn.error) ? turn.error : null;
  story.on.turnOver({ status: textOf(turn.status) ?? '', error });
}

export function endTurn(story: CodexStory, end: CodexTurnEnd): void {
  const { link, limits, usage } = story;
  story.retrying = false;
  const cause = end.status === 'interrupted' ? ('aborted' as const) : ('unseen' as const);
  for (const toolId of story.openTools.keys()) {
    link.emit({ t: 'tool_end', toolId, ok: false, output: '', truncated: false, cause });
  }
  story.openTools.clear();
  const turnId = story.turnId ?? '';
  story.turnId = null;
  if (end.error !== null && errorNameOf(end.error) === 'usageLimitExceeded') limits.rejected();
  const used = usage.turnEnds();
  if (used !== null) link.emit(used);
  link.emit(turnEndOf(story, end));
  story.lastText = '';
  story.saidBefore = '';
  link.emit({ t: 'state', state: limits.isRejected() ? 'limited' : 'idle' });
  story.on.turnTold(turnId, end);
}

/**
 * The turn's result. One that Codex continued has both results, in their order: whether all is done is said by the
 * later one, where it says anything.
 */
export function wordsOf({
  saidBefore,
  lastText,
}: Pick<CodexStory, 'saidBefore' | 'lastText'>): string {
  if (saidBefore === '' || saidBefore === lastText) return lastText;
  return lastText.trim() === '' ? saidBefore : `${saidBefore}\n\n${lastText}`;
}

function turnEndOf(story: CodexStory, { status, error }: CodexTurnEnd): EventOf<'turn_end'> {
  const told = error === null ? null : apiErrorOf(error);
  const outcome: TurnOutcome =
    status === 'interrupted' || status === 'completed'
      ? status
      : (outcomes[told?.kind ?? ''] ?? 'failed');
  const failed = outcome === 'failed' || outcome === 'too_long';
  const unknown = { kind: 'unknown' as const, status: null, message: `The turn ended: ${status}` };
  return {
    t: 'turn_end',
    outcome,
    text: wordsOf(story),
    error: failed ? (told ?? unknown) : null,
    deferred: null,
  };
}

const outcomes: Readonly<Record<string, TurnOutcome>> = { too_long: 'too_long' };
