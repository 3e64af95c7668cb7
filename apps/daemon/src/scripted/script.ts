/**
 * A script as people write it (YAML) becomes a tree of steps.
 *
 * Law: total and strict: a script that parses has only known verbs and keys; one that does not is refused with
 * the place and the words that are allowed. At most 2000 steps, 20 levels.
 */
import { parse as parseYaml } from 'yaml';
import type { Verb } from './verbs.ts';
import { shapeOf, verbNames } from './verbs.ts';

export interface Step {
  readonly verb: Verb;
  /** Arguments as written; `${…}` not yet filled in. */
  readonly args: Readonly<Record<string, unknown>>;
  /** Name of the variable that takes the step's value. */
  readonly as: string | null;
  /** A failure becomes the value `{ok: false, error}` instead of the end of the script. */
  readonly allowFailure: boolean;
  /** Steps of `repeat` and `when`. */
  readonly body: readonly Step[];
  /** Steps of a `when` that does not hold. */
  readonly otherwise: readonly Step[];
}

export interface Script {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Run for each message that no `wait_message` took; null: messages are noted. */
  readonly onMessage: readonly Step[] | null;
}

/** What is wrong with a script, and where. */
export class ScriptError extends Error {
  constructor(where: string, problem: string) {
    super(`${where}: ${problem}`);
    this.name = 'ScriptError';
  }
}

const maxSteps = 2000;
const maxDepth = 20;
const modifiers = new Set(['as', 'if', 'allow_failure', 'steps', 'else']);

type Plain = Record<string, unknown>;

/** @throws ScriptError */
export function parseScript(text: string, source: string): Script {
  let value: unknown;
  try {
    value = parseYaml(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw new ScriptError(source, `is not YAML: ${(cause as Error).message.split('\n')[0]}`);
  }
  const top: Plain = Array.isArray(value) ? { steps: value } : isPlain(value) ? value : {};
  refuseUnknown(source, top, ['name', 'description', 'steps', 'on_message']);
  if (!Array.isArray(top.steps)) throw new ScriptError(source, 'needs a list under "steps"');
  const count = { steps: 0 };
  return {
    name: typeof top.name === 'string' ? top.name : source,
    steps: parseSteps(top.steps, 'steps', { depth: 0, count }),
    onMessage:
      top.on_message === undefined
        ? null
        : parseSteps(top.on_message, 'on_message', { depth: 0, count }),
  };
}

interface Bounds {
  readonly depth: number;
  readonly count: { steps: number };
}

function parseSteps(value: unknown, where: string, bounds: Bounds): readonly Step[] {
  if (!Array.isArray(value)) throw new ScriptError(where, 'must be a list of steps');
  if (bounds.depth > maxDepth) throw new ScriptError(where, `nests deeper than ${maxDepth}`);
  bounds.count.steps += value.length;
  if (bounds.count.steps > maxSteps) throw new ScriptError(where, `more than ${maxSteps} steps`);
  return value.map((item, index) => parseStep(item, `${where}[${index}]`, bounds));
}

function parseStep(item: unknown, where: string, bounds: Bounds): Step {
  const map: Plain = typeof item === 'string' ? { [item]: {} } : isPlain(item) ? item : {};
  const named = Object.keys(map).filter((key) => !modifiers.has(key));
  const verb = named[0] as Verb | undefined;
  if (verb === undefined || named.length > 1 || !verbNames.includes(verb)) {
    const got = named.length === 0 ? 'none' : named.join(', ');
    throw new ScriptError(where, `needs exactly one of ${verbNames.join(', ')}; got ${got}`);
  }
  const block = verb === 'repeat' || verb === 'when';
  if (!block && (map.steps !== undefined || map.else !== undefined)) {
    throw new ScriptError(where, `only "repeat" and "when" have steps beside them, not "${verb}"`);
  }
  const inner = { depth: bounds.depth + 1, count: bounds.count };
  const step: Step = {
    verb,
    args: parseArgs(verb, map[verb], `${where}.${verb}`),
    as: parseName(map.as, where),
    allowFailure: map.allow_failure === true,
    body: block ? parseSteps(map.steps, `${where}.steps`, inner) : [],
    otherwise: map.else === undefined ? [] : parseSteps(map.else, `${where}.else`, inner),
  };
  return map.if === undefined ? step : guarded(step, map.if, `${where}.if`);
}

/** `if` beside a step is a `when` around it. */
function guarded(step: Step, condition: unknown, where: string): Step {
  const args = parseArgs('when', condition, where);
  return { verb: 'when', args, as: null, allowFailure: false, body: [step], otherwise: [] };
}

function parseArgs(verb: Verb, value: unknown, where: string): Plain {
  const shape = shapeOf(verb);
  const known = [...shape.required, ...shape.optional];
  let args: Plain;
  if (isPlain(value) && Object.keys(value).every((key) => known.includes(key))) args = value;
  else if (value === undefined || value === null) args = {};
  else if (shape.short !== null && !isPlain(value)) args = { [shape.short]: value };
  else if (verb === 'set') args = { value };
  else {
    if (isPlain(value)) refuseUnknown(where, value, known);
    throw new ScriptError(where, `must be a map with ${known.join(', ')}`);
  }
  for (const key of shape.required) {
    if (args[key] === undefined) throw new ScriptError(where, `needs "${key}"`);
  }
  return args;
}

function parseName(value: unknown, where: string): string | null {
  if (value === undefined) return null;
  if (typeof value === 'string' && /^[A-Za-z_]\w*$/.test(value)) return value;
  throw new ScriptError(where, '"as" must be a name of letters, digits and _');
}

function refuseUnknown(where: string, map: Plain, known: readonly string[]): void {
  const unknown = Object.keys(map).filter((key) => !known.includes(key));
  if (unknown.length === 0) return;
  throw new ScriptError(
    where,
    `does not know "${unknown.join('", "')}"; it knows ${known.join(', ')}`,
  );
}

export function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
