/**
 * The short forms of makima's tools (`spawn`, `wait`, `ask`, …) as calls of them.
 *
 * Law: the one place in the scripted agent that knows the tools' names and arguments.
 */
import { stringify } from 'yaml';
import { isPlain } from './script.ts';
import type { Arguments } from './values.ts';
import { listOf, optionalText, StepFailure, textOf, textsOf } from './values.ts';
import type { Verb } from './verbs.ts';

/** A call of a tool by its name. */
export interface PlainCall {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export const shortForms = {
  tool: (args) => ({ name: textOf(args, 'name'), args: isPlain(args.args) ? args.args : {} }),
  spawn: (args) => ({
    name: 'makima_spawn',
    args: {
      name: textOf(args, 'name'),
      plan: planOf(args),
      ...present({
        agent: args.agent,
        model: args.model,
        needs: args.needs === undefined ? undefined : listOf(args, 'needs').map(taskIdOf),
      }),
      ...(isPlain(args.extra) ? args.extra : {}),
    },
  }),
  list: () => ({ name: 'makima_list', args: {} }),
  wait: (args) => ({
    name: 'makima_wait',
    args: {
      taskIds: listOf(args, 'tasks').map(taskIdOf),
      mode: optionalText(args, 'for') ?? 'all',
      ...present({ timeoutSeconds: args.timeout_seconds }),
    },
  }),
  result: (args) => ({ name: 'makima_result', args: { taskId: taskIdOf(args.task) } }),
  ask: (args) => ({
    name: 'makima_ask',
    args: {
      question: textOf(args, 'question'),
      ...present({
        choices: args.choices === undefined ? undefined : textsOf(args, 'choices'),
        context: args.context,
        multiSelect: args.multi,
        timeoutSeconds: args.timeout_seconds,
      }),
    },
  }),
  checkpoint: (args) => ({ name: 'makima_checkpoint', args: { message: textOf(args, 'message') } }),
  deliverable: (args) => ({
    name: 'makima_deliverable',
    args: {
      deliverableId: textOf(args, 'id'),
      ...present({
        evidence:
          args.evidence === undefined ? undefined : listOf(args, 'evidence').map(evidenceOf),
        phase: args.phase,
      }),
    },
  }),
  advance: (args) => ({ name: 'makima_advance', args: { phase: textOf(args, 'phase') } }),
  merge: (args) => ({
    name: 'makima_merge',
    args: {
      taskId: taskIdOf(args.task),
      ...present({ targetBranch: args.into, squash: args.squash }),
    },
  }),
  message: (args) => ({
    name: 'makima_message',
    args: {
      taskId: taskIdOf(args.task),
      text: textOf(args, 'text'),
      ...present({ mode: args.mode }),
    },
  }),
  diff: (args) => ({ name: 'makima_diff', args: { taskId: taskIdOf(args.task) } }),
  cancel: (args) => ({
    name: 'makima_cancel',
    args: { taskId: taskIdOf(args.task), ...present({ reason: args.reason }) },
  }),
  status: () => ({ name: 'makima_status', args: {} }),
} as const satisfies Partial<Record<Verb, (args: Arguments) => PlainCall>>;

/** The plan of a spawned task; steps given in place become a script in it. */
function planOf(args: Arguments): string {
  const plan = optionalText(args, 'plan');
  if (args.steps === undefined) {
    if (plan === undefined) throw new StepFailure('"spawn" needs a plan or steps.');
    return plan;
  }
  const script = stringify({ steps: args.steps }, { lineWidth: 0 });
  return `${plan ?? textOf(args, 'name')}\n\n\`\`\`\`makima-script\n${script}\`\`\`\`\n`;
}

/** A task is named by its id or by what a `spawn` returned. */
function taskIdOf(task: unknown): string {
  if (typeof task === 'string') return task;
  if (isPlain(task)) {
    const id = task.taskId ?? task.id;
    if (typeof id === 'string') return id;
  }
  throw new StepFailure('A task is its id, or the value of a "spawn".');
}

/** Evidence in short: a word, or `{file}`, `{command}`, `{merged}`; the tool's own form passes as it is. */
function evidenceOf(evidence: unknown): unknown {
  if (typeof evidence === 'string') return { kind: 'word', text: evidence };
  if (!isPlain(evidence) || evidence.kind !== undefined) return evidence;
  if (evidence.file !== undefined) return { kind: 'file', path: textOf(evidence, 'file') };
  if (evidence.merged !== undefined) return { kind: 'merged', taskId: taskIdOf(evidence.merged) };
  if (evidence.command === undefined) return evidence;
  const { timeout_seconds: timeoutSeconds } = evidence;
  return { kind: 'command', command: textsOf(evidence, 'command'), ...present({ timeoutSeconds }) };
}

function present(args: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
}
