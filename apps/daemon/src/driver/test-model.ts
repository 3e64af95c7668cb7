/**
 * What the model of a real agent answers in the conformance cases: one script per deed and per fault, in the
 * words of whichever agent asks.
 *
 * Law: what differs between agents (names and forms of their tools) is given; the story is the same for all.
 */
import type { ModelRequest, Reply, Scripts, ToolUse } from '@makima/mock-model/reply';

/** How an agent's own tools are called by its model. */
export interface ToolForms {
  shell(command: string): ToolUse;
  /** makima_echo, under the name that the agent gives it. */
  echo(value: string): ToolUse;
  /** A question with options; for an agent that cannot ask, a tool that it lacks. */
  ask(question: string, options: readonly string[]): ToolUse;
}

/** What the deed `wait` runs: a child with a session of its own, and a wait for the file `go`. */
export const waitCommand =
  'nohup setsid sleep 300 >/dev/null 2>&1 & touch started; while [ ! -e go ]; do sleep 0.02; done';
/** What the deed `environment` runs. */
export const environmentCommand = 'env > env.txt; printf nice= >> env.txt; nice >> env.txt';
const commitCommand =
  "printf 'hello\\n' > hello.txt && git add hello.txt && git commit -qm 'add hello'";

export function conformanceScripts(forms: ToolForms): Scripts {
  const call = (tool: ToolUse, text?: string): Reply => ({
    ...(text === undefined ? {} : { text }),
    tools: [tool],
  });
  return {
    hello: [
      { text: 'Hello from a model that is long enough to be streamed in pieces.' },
      heardLast,
    ],
    commit: [call(forms.shell(commitCommand), 'I run a command.'), heard],
    tool: [
      call(forms.echo('ping')),
      (request) => ({ text: `The tool said: ${lastTool(request)}` }),
    ],
    environment: [call(forms.shell(environmentCommand)), { text: 'Done.' }],
    question: [
      call(forms.ask('Which database?', ['Postgres', 'SQLite'])),
      (request) => ({ text: `What came back: ${lastTool(request)}` }),
    ],
    wait: [call(forms.shell(waitCommand), 'I wait.'), heard],
    ...faults,
  };
}

/** The prompt that plays the script. */
export const scriptPrompt = (script: string) => `[[script:${script}]] Please. Remember magenta.`;

const long = 'This answer is long enough that it can be cut in the middle of its stream of events.';

const slowDown = {
  status: 429,
  type: 'rate_limit_error',
  message: 'Slow down.',
  retryAfterSeconds: 0,
};

const faults: Scripts = {
  rate_limited_once: [{ error: slowDown, times: 1, text: 'Here I am.' }],
  cut_once: [{ text: long, cutAfterEvents: 4, times: 1 }],
  rate_limited: [{ error: slowDown }],
  overloaded: [{ error: { status: 529, type: 'overloaded_error', message: 'Overloaded' } }],
  broken: [{ error: { status: 500, type: 'api_error', message: 'Internal server error' } }],
  cut: [{ text: long, cutAfterEvents: 4 }],
  hanging: [{ hang: 'before_headers' }],
  hanging_midway: [{ text: long, hang: { afterEvents: 4 } }],
};

function lastTool({ messages }: ModelRequest): string {
  return messages.findLast((message) => message.role === 'tool')?.text ?? 'nothing';
}

/** Says again all that it was told; a message that comes while a tool runs stands beside its result. */
function heard({ messages }: ModelRequest): Reply {
  const told = messages.filter(({ role }) => role === 'user' || role === 'tool');
  return { text: `Heard: ${told.map((message) => message.text).join(' | ')}` };
}

function heardLast({ messages }: ModelRequest): Reply {
  return { text: `Heard: ${messages.findLast(({ role }) => role === 'user')?.text ?? ''}` };
}
