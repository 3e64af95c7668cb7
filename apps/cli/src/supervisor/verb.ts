/**
 * A verb of `makima supervisor`: one tool of makima, called through the door that this shell has. In the shell
 * of an agent that is its daemon's loopback door with the token of its run, for people the server with their key.
 *
 * Why: the tools are the one implementation of what a supervisor may do; the command line only gives them words.
 * Law: an answer that is not final is followed as its `next` says until the time is over; then it is printed as
 * it stands, with the handle to go on, and the exit code is that of a wait that timed out.
 */
import { text } from 'node:stream/consumers';
import type { ToolClient } from '@makima/client/tools';
import { exitCodes } from '../exit-code.ts';
import { contractId, isFullId, matching, taskId, theOne } from '../find.ts';
import { oneLine } from '../plain.ts';
import { usageError } from '../print-error.ts';
import type { Shell } from '../shell.ts';

export type Value = Readonly<Record<string, unknown>>;

/** What every verb takes. */
export interface VerbOptions {
  /** People name the contract; an agent has one. */
  readonly contract?: string;
  /** The same key is the same call: it has one effect, however often it is made. */
  readonly once?: string;
  /** Seconds that a verb which waits may take. */
  readonly timeout?: number;
}

export interface VerbCall {
  readonly tool: `makima_${string}`;
  readonly input: Value;
  /** The tool takes `timeoutSeconds`. */
  readonly timed?: true;
}

export interface VerbAnswer {
  readonly value: Value;
  /** It was not final when the time was over. */
  readonly isPending: boolean;
}

/** Agents' programs end a command after two minutes: the handle has to come before. */
const runPatienceSeconds = 100;
/** Longest that a tool holds one call. */
const callSeconds = 240;

export async function callVerb(
  shell: Shell,
  first: VerbCall,
  options: VerbOptions,
): Promise<VerbAnswer> {
  const tools = await shell.tools();
  const patience = options.timeout ?? (shell.isRun ? runPatienceSeconds : Number.POSITIVE_INFINITY);
  const untilMs = shell.nowMs() + patience * 1_000;
  let call: { readonly tool: string; readonly input: Value } = first;
  for (let n = 0; ; n++) {
    const leftSeconds = Math.max(0, Math.ceil((untilMs - shell.nowMs()) / 1_000));
    const input =
      first.timed === true
        ? { ...call.input, timeoutSeconds: Math.min(leftSeconds, callSeconds) }
        : call.input;
    const toolUseId = options.once === undefined || n > 0 ? undefined : options.once;
    const value = await tools.call(call.tool, input, { toolUseId });
    const next = nextOf(value);
    if (next === null || shell.nowMs() >= untilMs)
      return { value, isPending: value['stillPending'] === true };
    shell.say(oneLine(word(value['note'], 'still pending')));
    call = next;
  }
}

function nextOf(value: Value): { readonly tool: string; readonly input: Value } | null {
  const { stillPending, next } = value;
  if (stillPending !== true || typeof next !== 'object' || next === null) return null;
  const { name, args } = next as { readonly name?: unknown; readonly args?: unknown };
  return typeof name === 'string' ? { tool: name, input: (args ?? {}) as Value } : null;
}

/** Prints the answer: whole as JSON, else the words of `sentence`. The result is the exit code. */
export function tellAnswer(
  shell: Shell,
  { value, isPending }: VerbAnswer,
  sentence: (value: Value) => string,
): number {
  if (shell.format === 'json') shell.json(value);
  else shell.print(isPending ? oneLine(word(value['note'], 'still pending')) : sentence(value));
  return isPending ? exitCodes.cancelled : exitCodes.ok;
}

/** Most verbs: one call, its answer told. */
export async function runVerb(
  shell: Shell,
  call: VerbCall,
  options: VerbOptions & { readonly tell: (value: Value) => string },
): Promise<number> {
  return tellAnswer(shell, await callVerb(shell, call, options), options.tell);
}

/** `{contractId}` for tools that take one: an agent's is known by its run. */
export async function contractOf(shell: Shell, options: VerbOptions): Promise<Value> {
  const { contract } = options;
  if (contract === undefined) {
    if (shell.isRun) return {};
    throw usageError('no contract is named', 'add --contract <id or slug>');
  }
  if (shell.isRun || isFullId(contract)) return { contractId: contract };
  return { contractId: await contractId(await shell.connect(), contract) };
}

/** The id of the task that is meant: an id, its beginning, a name in the own contract, or contract/task. */
export async function taskOf(shell: Shell, typed: string): Promise<string> {
  if (isFullId(typed)) return typed.toLowerCase();
  if (!shell.isRun) return taskId(await shell.connect(), typed);
  return taskInRun(await shell.tools(), typed);
}

export async function tasksOf(shell: Shell, typed: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const one of typed) ids.push(await taskOf(shell, one));
  return ids;
}

interface Listed {
  readonly taskId: string;
  readonly name: string;
}

async function taskInRun(tools: ToolClient, typed: string): Promise<string> {
  const listed = await tools.call('makima_list', {});
  const tasks = (Array.isArray(listed['tasks']) ? listed['tasks'] : []) as Listed[];
  const names = { id: (task: Listed) => task.taskId, name: (task: Listed) => task.name };
  const task = theOne(matching(tasks, typed, names), typed, 'tasks', names);
  if (task !== undefined) return task.taskId;
  throw usageError(`there is no task '${typed}' in this contract`, 'makima supervisor list');
}

/** Words as they were given; '-' stands for what comes on stdin. */
export async function wordsOf(shell: Shell, words: string): Promise<string> {
  return words === '-' ? text(shell.io.stdin) : words;
}

/** The fields that were given. */
export function given<T extends Value>(
  fields: T,
): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** A field of an answer as text. */
export function word(value: unknown, otherwise = ''): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : otherwise;
}
