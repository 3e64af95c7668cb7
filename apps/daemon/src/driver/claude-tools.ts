/**
 * Claude Code's tools in the vocabulary of events: kind, title, and the text of a result.
 *
 * Law: a tool that nobody knows yet is `other` under its own name.
 */
import type { ToolKind } from './events.ts';
import type { Json } from './json.ts';
import { objectsOf, textOf } from './json.ts';
import { plainToolName } from './claude-turn.ts';

const kinds: Readonly<Record<string, ToolKind>> = {
  Bash: 'shell',
  BashOutput: 'shell',
  KillShell: 'shell',
  Edit: 'edit',
  Write: 'edit',
  NotebookEdit: 'edit',
  Read: 'read',
  Glob: 'read',
  Grep: 'read',
  WebFetch: 'read',
  WebSearch: 'read',
  Task: 'agent',
  Agent: 'agent',
};

const shownLength = 16 * 1024;
const titleLength = 200;

export function kindOf(name: string): ToolKind {
  return name.startsWith('mcp__') ? 'mcp' : (kinds[name] ?? 'other');
}

/** One line for people: what the call is about. */
export function titleOf(name: string, input: Json): string {
  const about = [input.description, input.command, input.file_path, input.pattern, input.url]
    .map(textOf)
    .find((text) => text !== null && text !== '');
  const title = about === undefined ? plainToolName(name) : `${plainToolName(name)}: ${about}`;
  return title.replaceAll(/\s+/g, ' ').slice(0, titleLength);
}

/** A result's text, shortened to what is shown. */
export function resultText(content: unknown): {
  readonly output: string;
  readonly truncated: boolean;
} {
  const text =
    textOf(content) ??
    objectsOf(content)
      .map((part) => textOf(part.text) ?? `[${String(part.type)}]`)
      .join('\n');
  return { output: text.slice(0, shownLength), truncated: text.length > shownLength };
}
