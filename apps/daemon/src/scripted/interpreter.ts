/**
 * Walks a script from its top. Steps that the conversation knows as done give their value again and do
 * nothing; the first that is not done is where the work goes on. In a directory that does not have what was done,
 * files are written and programs run again.
 *
 * Law: a step's begin is written before it is performed and its end after; its arguments are filled in once
 * and kept, so that doing it again is doing the same.
 */
import { handlers } from './handlers.ts';
import type { Host, StepContext } from './host.ts';
import { TurnOver } from './host.ts';
import type { Step } from './script.ts';
import { isPlain } from './script.ts';
import { fillIn, holds, listOf, numberOf, StepFailure } from './values.ts';
import { shapeOf } from './verbs.ts';

/** Why a running step was broken off. */
export type BreakReason = 'interrupt' | 'message';

export interface Walk {
  readonly host: Host;
  /** What the conversation knows as done in the directory is not there: it is done again. */
  redoes: boolean;
  /** A fresh signal for the step that begins now; aborted with a `BreakReason`. */
  stepSignal(): AbortSignal;
  /** Called before each step: messages are read here. */
  pause(): void;
}

/** Steps whose work lies in the directory. */
const inDirectory: ReadonlySet<string> = new Set(['write', 'append', 'run', 'commit']);

/** @throws TurnOver, StepFailure */
export async function runSteps(walk: Walk, steps: readonly Step[], key: string): Promise<void> {
  for (const [index, step] of steps.entries()) {
    walk.pause();
    await runStep(walk, step, `${key}/${index}`);
  }
}

async function runStep(walk: Walk, step: Step, key: string): Promise<void> {
  if (step.verb === 'when') await runWhen(walk, step, key);
  else if (step.verb === 'repeat') await runRepeat(walk, step, key);
  else await runPlain(walk, step, step.verb, key);
}

async function runWhen(walk: Walk, step: Step, key: string): Promise<void> {
  const { progress, variables } = walk.host;
  // The decision is kept: on a replay the variables may have moved on.
  const decided = progress.ended(key);
  const held = decided?.value ?? holds(fill(step, variables), variables);
  if (decided === null) progress.end(key, held);
  await runSteps(
    walk,
    held === true ? step.body : step.otherwise,
    `${key}.${held === true ? 'y' : 'n'}`,
  );
}

async function runRepeat(walk: Walk, step: Step, key: string): Promise<void> {
  const { progress, variables } = walk.host;
  const decided = progress.ended(key);
  const items = (decided?.value as unknown[] | undefined) ?? itemsOf(fill(step, variables));
  if (decided === null) progress.end(key, items);
  const name = typeof step.args.name === 'string' ? step.args.name : 'item';
  for (const [index, item] of items.entries()) {
    variables[name] = item;
    variables.index = index;
    await runSteps(walk, step.body, `${key}#${index}`);
  }
}

function itemsOf(args: Readonly<Record<string, unknown>>): readonly unknown[] {
  if (args.over !== undefined) return listOf(args, 'over');
  const times = numberOf(args, 'times');
  if (times > 10_000) throw new StepFailure('"repeat" repeats at most 10000 times.');
  return Array.from({ length: times }, (_, index) => index);
}

async function runPlain(
  walk: Walk,
  step: Step,
  verb: Exclude<Step['verb'], 'when' | 'repeat'>,
  key: string,
): Promise<void> {
  const { host } = walk;
  const ended = host.progress.ended(key);
  if (ended !== null && !(walk.redoes && inDirectory.has(verb))) {
    leave(host, step, ended.value);
    return;
  }
  let value: unknown;
  try {
    value = await perform(walk, step, verb, key);
  } catch (cause) {
    if (!step.allowFailure || !(cause instanceof StepFailure)) throw cause;
    value = { ok: false, error: cause.message };
  }
  host.progress.end(key, value);
  leave(host, step, value);
}

/** What a done step leaves behind, when it is done and again when it is only replayed. */
function leave(host: Host, step: Step, value: unknown): void {
  if (step.as !== null) host.variables[step.as] = value;
  if (step.verb === 'wait_message' && isPlain(value)) host.mailbox.used(String(value.id));
}

async function perform(
  walk: Walk,
  step: Step,
  verb: keyof typeof handlers,
  key: string,
): Promise<unknown> {
  const { host } = walk;
  const handler = handlers[verb];
  for (;;) {
    const begun = host.progress.begun(key);
    const args = begun === null ? fill(step, host.variables) : (begun.args as StepContext['args']);
    const note = begun === null ? handler.prepare?.(args, host) : begun.note;
    if (begun === null) host.progress.begin(key, args, note);
    const signal = walk.stepSignal();
    try {
      return await handler.perform({ host, key, args, begunBefore: begun !== null, note, signal });
    } catch (cause) {
      if (!signal.aborted) throw cause;
      if ((signal.reason as BreakReason) === 'interrupt') throw new TurnOver('interrupted', '');
      // A message that could not wait: read it, then do the step again.
      walk.pause();
    }
  }
}

function fill(step: Step, variables: Record<string, unknown>): StepContext['args'] {
  const verbatim = shapeOf(step.verb).verbatim ?? [];
  return Object.fromEntries(
    Object.entries(step.args).map(([name, value]) => [
      name,
      verbatim.includes(name) ? value : fillIn(value, variables),
    ]),
  );
}
