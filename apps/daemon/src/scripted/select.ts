/**
 * Finds the script of a run: written in the prompt itself, named by the prompt, or given by the environment.
 *
 * Law: the prompt wins, so that a task that was given a script runs it wherever it is run.
 */
import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ScriptError } from './script.ts';

export interface ScriptSource {
  /** Where it was found, for messages. */
  readonly source: string;
  readonly text: string;
}

const fence = /^([ \t]*)(`{3,}|~{3,})makima-script[ \t]*\r?\n([\s\S]*?)^\1\2[ \t]*$/m;
const opening = /^[ \t]*(`{3,}|~{3,})makima-script[ \t]*\r?$/m;
const namedLine = /^\s*script:\s*([A-Za-z0-9][\w-]*)\s*$/m;

/** Scripts that come in the box. */
const ownScripts = fileURLToPath(new URL('../../scripts/', import.meta.url));

/**
 * In this order: a fenced block `makima-script` in the prompt; a line `script: <name>`, read from
 * `.makima/scripts/<name>.yaml` below `cwd` or from the box; the absolute path in `scriptPath`.
 * @throws ScriptError when there is none, when its block is not closed, or what is named cannot be read.
 */
export function selectScript(options: {
  readonly prompt: string;
  readonly cwd: string;
  readonly scriptPath: string | undefined;
}): ScriptSource {
  const block = fence.exec(options.prompt);
  if (block !== null) {
    return { source: 'script in the plan', text: unindent(block[3] ?? '', block[1] ?? '') };
  }
  const open = opening.exec(options.prompt)?.[1];
  if (open !== undefined) {
    throw new ScriptError(
      'the plan',
      `begins a script and does not end it. Close the block with a line "${open}", indented as it begins`,
    );
  }
  const name = namedLine.exec(options.prompt)?.[1];
  if (name !== undefined) return readNamed(name, options.cwd);
  if (options.scriptPath !== undefined && options.scriptPath !== '') {
    if (!isAbsolute(options.scriptPath)) {
      throw new ScriptError('MAKIMA_SCRIPT', 'must be an absolute path');
    }
    return { source: options.scriptPath, text: read(options.scriptPath) };
  }
  throw new ScriptError(
    'the plan',
    'holds no script. Write a fenced block "makima-script" into it, or a line "script: <name>" for ' +
      '.makima/scripts/<name>.yaml',
  );
}

function readNamed(name: string, cwd: string): ScriptSource {
  const places = [
    join(cwd, '.makima', 'scripts', `${name}.yaml`),
    join(ownScripts, `${name}.yaml`),
  ];
  for (const path of places) {
    try {
      return { source: path, text: readFileSync(path, 'utf8') };
    } catch {
      continue;
    }
  }
  throw new ScriptError(`script: ${name}`, `not found; looked for ${places.join(' and ')}`);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ScriptError(path, `cannot be read: ${(cause as Error).message}`);
  }
}

function unindent(text: string, indent: string): string {
  if (indent === '') return text;
  return text
    .split('\n')
    .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
    .join('\n');
}
