/**
 * Steps that call makima's tools, by name or by their short forms (`spawn`, `wait`, `ask`, …).
 *
 * Law: the id of a call comes from its place in the script, so that a call repeated after a kill is the same
 * call; a tool that answers "still pending" is asked again under the same id until it is final, or under a
 * further one when its answer names the call that goes on (`next: {name, args}`).
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Handler, StepContext } from './host.ts';
import { isPlain } from './script.ts';
import { asTool } from './tool-call.ts';
import type { PlainCall } from './short-forms.ts';
import { shortForms } from './short-forms.ts';
import type { Arguments } from './values.ts';
import { StepFailure } from './values.ts';

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
    // A step with a time of its own takes what that time brought.
    if (next === null || first.args.timeoutSeconds !== undefined) return value;
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
      const isFinal = !isPending(value) || call.args.timeoutSeconds !== undefined;
      if (isFinal || nextCall(value) !== null) return value;
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
