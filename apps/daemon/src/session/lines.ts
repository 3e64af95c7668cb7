/**
 * What an agent tells, as lines of output for everybody. Pure: an event in, no or one line out.
 *
 * Law: a line is clean (no NUL, no lone surrogate, which a store refuses), bounded, and without the shapes
 * of credentials; what was cut says so. Deltas are left out: the whole text follows.
 */
import { wireLimits } from '@makima/contracts/limits';
import type { OutputLine } from '@makima/contracts/socket/reports';
import { scrub } from '@makima/runtime/redact';
import type { AgentEvent, AgentEventBody, EventOf } from '../driver/events.ts';

const toolInputChars = 16_384;

/** The line of an event, or null when it is nothing to read. */
export function lineOf(event: AgentEvent): OutputLine | null {
  const said = wordsOf(event);
  if (said === null) return null;
  return {
    toolName: null,
    toolUseId: null,
    isError: false,
    costUsd: null,
    durationMs: null,
    isPartial: false,
    ...said,
    content: cleanText(said.content),
    at: new Date(event.atMs).toISOString(),
  };
}

/** A line of the daemon's own. */
export function ownLine(messageType: 'system' | 'error' | 'dropped', content: string): OutputLine {
  return {
    messageType,
    content: cleanText(content),
    toolName: null,
    toolUseId: null,
    isError: messageType === 'error',
    costUsd: null,
    durationMs: null,
    isPartial: false,
    at: new Date().toISOString(),
  };
}

/** Text that any store takes, at most `limitBytes` long; a cut is shown. */
export function cleanText(text: string, limitBytes: number = wireLimits.outputLineBytes): string {
  const clean = scrub(text.toWellFormed().replaceAll('\0', '\ufffd'));
  if (clean.length * 3 <= limitBytes || Buffer.byteLength(clean) <= limitBytes) return clean;
  const bytes = Buffer.from(clean);
  const head = bytes
    .subarray(0, limitBytes)
    .toString()
    .replace(/\ufffd+$/, '');
  return `${head}… [${bytes.length - Buffer.byteLength(head)} bytes cut]`;
}

type Said = Pick<OutputLine, 'messageType' | 'content'> & Partial<OutputLine>;

function wordsOf(event: AgentEventBody): Said | null {
  switch (event.t) {
    case 'started':
      return { messageType: 'system', content: startedWords(event) };
    case 'text':
      if (event.delta || event.text === '') return null;
      return { messageType: event.thinking ? 'thinking' : 'assistant', content: event.text };
    case 'tool_start':
      return {
        messageType: 'tool_use',
        content: event.title,
        toolName: event.name,
        toolInput: boundedInput(event.input),
        toolUseId: event.toolId,
      };
    case 'tool_end':
      return {
        messageType: 'tool_result',
        content: event.truncated ? `${event.output}… [shortened]` : event.output,
        toolUseId: event.toolId,
        isError: !event.ok,
      };
    case 'question':
      return {
        messageType: 'supervisor_question',
        content: event.questions.map((question) => question.text).join('\n'),
      };
    case 'permission':
      return { messageType: 'supervisor_question', content: `May it use ${event.tool}?` };
    case 'retry':
      return { messageType: 'system', content: retryWords(event) };
    case 'limit':
      return { messageType: 'system', content: limitWords(event) };
    case 'turn_end':
      return turnWords(event);
    case 'compacted':
      return { messageType: 'system', content: 'The conversation was compacted.' };
    case 'stalled':
      return {
        messageType: 'system',
        content: `No sign of life for ${Math.round(event.silentMs / 1000)} s.`,
      };
    case 'log':
      return { messageType: 'log', content: cutWords(event), isError: event.stream === 'stderr' };
    case 'exit':
    case 'state':
    case 'tool_progress':
    case 'message':
    case 'request_cancelled':
    case 'usage':
    case 'transcript':
      return null;
  }
}

function startedWords(event: EventOf<'started'>): string {
  const model = event.model === null ? '' : ` with ${event.model}`;
  return `Agent ${event.version}${model} ${event.resumed ? 'goes on' : 'started'}.`;
}

function retryWords(event: EventOf<'retry'>): string {
  const status = event.error.status === null ? '' : ` ${event.error.status}`;
  return `The model could not be asked (${event.error.kind}${status}), try ${event.attempt} of ${event.max} in ${event.delayMs} ms: ${event.error.message}`;
}

function limitWords(event: EventOf<'limit'>): string {
  const until =
    event.resetsAtMs === null ? '' : ` until ${new Date(event.resetsAtMs).toISOString()}`;
  const used = event.utilization === null ? '' : ` (${Math.round(event.utilization * 100)} % used)`;
  return event.status === 'rejected'
    ? `The usage limit is reached${until}.`
    : `The usage limit is near${used}.`;
}

function turnWords(event: EventOf<'turn_end'>): Said {
  if (event.error !== null) {
    return { messageType: 'error', content: event.error.message, isError: true };
  }
  const content =
    event.outcome === 'completed' ? event.text : `Turn ${event.outcome}. ${event.text}`;
  return { messageType: 'result', content };
}

function cutWords(event: EventOf<'log'>): string {
  return event.cutBytes === 0 ? event.line : `${event.line}… [line of ${event.cutBytes} bytes cut]`;
}

/** The input as it is when it is small; else its beginning as text. */
export function boundedInput(input: unknown): unknown {
  const text = JSON.stringify(input) ?? 'null';
  const clean = cleanText(text, toolInputChars);
  if (clean === text) return input;
  try {
    // Redaction leaves JSON whole; a cut does not.
    return JSON.parse(clean);
  } catch {
    return { cut: clean };
  }
}
