/**
 * Steps that call makima's tools, by name or by their short forms (`spawn`, `wait`, `ask`, …).
 *
 * Law: the id of a call comes from its place in the script, so that a call repeated after a kill is the same
 * call; a tool that answers "still pending" is asked again, under a further id, until it is final.
 */
import { stringify } from 'yaml';
import type { Handler, StepContext } from './host.ts';
import { isPlain } from './script.ts';
import { asTool } from './tool-call.ts';
import type { Arguments } from './values.ts';
import { listOf, optionalText, StepFailure, textOf, textsOf } from './values.ts';
import type { Verb } from './verbs.ts';

interface PlainCall {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Short form to tool call: the one place that knows the tools' names and arguments. */
const shortForms = {
  tool: (args) => ({ name: textOf(args, 'name'), args: isPlain(args.args) ? args.args : {} }),
  spawn: (args) => ({
    name: 'makima_spawn',
    args: {
      name: textOf(args, 'name'),
      plan: planOf(args),
      ...present({ agent: args.agent, model: args.model }),
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
      ...present({ evidence: args.evidence, phase: args.phase }),
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
    args: { taskId: taskIdOf(args.task), text: textOf(args, 'text') },
  }),
} as const satisfies Partial<Record<Verb, (args: Arguments) => PlainCall>>;

export const toolSteps = Object.fromEntries(
  Object.entries(shortForms).map(([verb, form]) => [verb, stepFor(form)]),
) as Record<keyof typeof shortForms, Handler>;

function stepFor(form: (args: Arguments) => PlainCall): Handler {
  return { perform: (context) => callUntilFinal(context, form(context.args)) };
}

/** More calls than this of one step mean that the tool never becomes final. */
const mostCalls = 100_000;

async function callUntilFinal(context: StepContext, first: PlainCall): Promise<unknown> {
  const { progress } = context.host;
  const before = progress.again(context.key);
  let call = before === null ? first : (before.call as PlainCall);
  for (let n = before?.n ?? 0; n < mostCalls; n += 1) {
    const value = await callOnce(context, call, n);
    if (!isPlain(value) || value.stillPending !== true) return value;
    call = nextCall(call, value);
    progress.repeat(context.key, { n: n + 1, call });
  }
  throw new StepFailure(`${first.name} was still pending after ${mostCalls} calls.`);
}

async function callOnce(context: StepContext, call: PlainCall, n: number): Promise<unknown> {
  const { tools } = context.host;
  const face = {
    name: call.name,
    kind: 'mcp' as const,
    title: call.name,
    input: call.args,
    suffix: n === 0 ? '' : `-${n}`,
  };
  return asTool(context, face, (toolId, onProgress) => {
    if (tools === null) throw new StepFailure('This run was given no tools.');
    return tools.call({ ...call, toolId, signal: context.signal, onProgress });
  });
}

/** What a pending answer asks for: the call it names, else the same one with the handles that it gave. */
function nextCall(call: PlainCall, pending: Record<string, unknown>): PlainCall {
  if (isPlain(pending.next) && typeof pending.next.name === 'string') {
    return { name: pending.next.name, args: isPlain(pending.next.args) ? pending.next.args : {} };
  }
  const handles = present({ questionId: pending.questionId, waitId: pending.waitId });
  return { name: call.name, args: { ...call.args, ...handles } };
}

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

function present(args: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
}
