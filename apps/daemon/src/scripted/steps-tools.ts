/**
 * Steps that call makima's tools, by name or by their short forms (`spawn`, `wait`, `ask`, …).
 *
 * Law: the id of a call comes from its place in the script, so that a call repeated after a kill is the same
 * call; a tool that answers "still pending" is asked again under the same id until it is final, or under a
 * further one when its answer names the call that goes on (`next: {name, args}`).
 */
import { setTimeout as pause } from 'node:timers/promises';
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

/** Calls of one step that name a next one; more mean that the tool never becomes final. */
const mostCalls = 10_000;

async function callUntilFinal(context: StepContext, first: PlainCall): Promise<unknown> {
  const { progress } = context.host;
  const before = progress.again(context.key);
  let call = before === null ? first : (before.call as PlainCall);
  for (let n = before?.n ?? 0; n < mostCalls; n += 1) {
    const value = await callOnce(context, call, n);
    const next = nextCall(value);
    if (next === null) return value;
    call = next;
    progress.repeat(context.key, { n: n + 1, call });
  }
  throw new StepFailure(`${first.name} was still pending after ${mostCalls} calls.`);
}

/** Asks under one id until the answer is final or names another call to make. */
async function callOnce(context: StepContext, call: PlainCall, n: number): Promise<unknown> {
  const { tools } = context.host;
  const face = {
    name: call.name,
    kind: 'mcp' as const,
    title: call.name,
    input: call.args,
    suffix: n === 0 ? '' : `-${n}`,
  };
  return asTool(context, face, async (toolId, onProgress) => {
    if (tools === null) throw new StepFailure('This run was given no tools.');
    const { signal } = context;
    for (let waitMs = shortestPauseMs; ;) {
      const since = performance.now();
      const value = await tools.call({ ...call, toolId, signal, onProgress });
      if (!isPending(value) || nextCall(value) !== null) return value;
      onProgress('still pending');
      // A server that holds the call sets the pace; one that does not is not to be pressed.
      const held = performance.now() - since > longestPauseMs;
      waitMs = held ? shortestPauseMs : Math.min(waitMs * 2, longestPauseMs);
      await pause(waitMs, undefined, { signal });
    }
  });
}

const shortestPauseMs = 50;
const longestPauseMs = 2000;

function isPending(value: unknown): value is Record<string, unknown> {
  return isPlain(value) && value.stillPending === true;
}

/** The call that a pending answer names as the one that goes on, or null. */
function nextCall(value: unknown): PlainCall | null {
  if (!isPending(value) || !isPlain(value.next) || typeof value.next.name !== 'string') return null;
  return { name: value.next.name, args: isPlain(value.next.args) ? value.next.args : {} };
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
