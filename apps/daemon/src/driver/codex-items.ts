/**
 * The items of a turn of Codex that are tool calls, in the vocabulary of events.
 *
 * Law: an item of a kind that nobody knows yet is a call of its own name; only what is told by other events is
 * none.
 */
import type { EventOf, ToolKind } from './events.ts';
import type { Json } from './json.ts';
import { numberOf, objectOf, objectsOf, textOf } from './json.ts';

const shownLength = 16 * 1024;
const titleLength = 200;

/** Items that are no call of a tool. */
const noTools: ReadonlySet<string> = new Set([
  'userMessage',
  'hookPrompt',
  'agentMessage',
  'reasoning',
  'plan',
  'functionCallOutput',
  'contextCompaction',
  'enteredReviewMode',
  'exitedReviewMode',
]);

const kinds: Readonly<Record<string, ToolKind>> = {
  commandExecution: 'shell',
  fileChange: 'edit',
  mcpToolCall: 'mcp',
  webSearch: 'read',
  imageView: 'read',
  collabAgentToolCall: 'agent',
  subAgentActivity: 'agent',
};

export function isToolCall(item: Json): boolean {
  return !noTools.has(textOf(item.type) ?? '');
}

export function toolStartOf(item: Json): EventOf<'tool_start'> {
  const { name, input, about } = faceOf(item);
  const title = about === '' ? name : `${name}: ${about}`;
  return {
    t: 'tool_start',
    toolId: textOf(item.id) ?? '',
    name,
    kind: kinds[textOf(item.type) ?? ''] ?? 'other',
    input,
    title: title.replaceAll(/\s+/g, ' ').slice(0, titleLength),
    parentTool: null,
  };
}

export function toolEndOf(item: Json): EventOf<'tool_end'> {
  const status = textOf(item.status);
  const output = outputOf(item);
  return {
    t: 'tool_end',
    toolId: textOf(item.id) ?? '',
    ok: status === 'completed' || status === null,
    output: output.slice(0, shownLength),
    truncated: output.length > shownLength,
    cause: status === 'declined' ? 'denied' : 'finished',
  };
}

interface Face {
  readonly name: string;
  readonly input: Json;
  /** What the call is about, for its title. */
  readonly about: string;
}

function faceOf(item: Json): Face {
  if (item.type === 'commandExecution') {
    const command = commandOf(item);
    return { name: 'shell', input: { command, cwd: item.cwd }, about: command };
  }
  if (item.type === 'fileChange') {
    const changes = objectsOf(item.changes);
    const about = changes.map((change) => textOf(change.path) ?? '').join(', ');
    return { name: 'apply_patch', input: { changes }, about };
  }
  if (item.type === 'mcpToolCall') {
    const tool = textOf(item.tool) ?? '';
    const server = textOf(item.server) ?? '';
    // Makima's own tools carry their plain name; those of other servers keep theirs.
    const name = server === 'makima' ? tool : `mcp__${server}__${tool}`;
    return { name, input: objectOf(item.arguments), about: '' };
  }
  const { id: _id, type, startedAtMs: _started, completedAtMs: _completed, ...input } = item;
  return { name: textOf(type) ?? 'unknown', input, about: textOf(item.query) ?? '' };
}

/** The command as the model gave it; Codex tells it wrapped in the shell that runs it. */
export function commandOf(item: Json): string {
  const [action, ...more] = objectsOf(item.commandActions);
  const inner = more.length === 0 ? textOf(action?.command) : null;
  return inner ?? textOf(item.command) ?? '';
}

function outputOf(item: Json): string {
  if (item.type === 'commandExecution') {
    const output = textOf(item.aggregatedOutput) ?? '';
    const code = numberOf(item.exitCode);
    return code === null || code === 0 ? output : `${output}\n[exit code ${code}]`.trim();
  }
  if (item.type === 'fileChange') {
    const changes = objectsOf(item.changes);
    return changes
      .map((change) => `${textOf(objectOf(change.kind).type) ?? ''} ${textOf(change.path) ?? ''}`)
      .join('\n');
  }
  const error = textOf(objectOf(item.error).message);
  if (error !== null) return error;
  const { content } = objectOf(item.result);
  return objectsOf(content)
    .map((part) => textOf(part.text) ?? `[${String(part.type)}]`)
    .join('\n');
}
