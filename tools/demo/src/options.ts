// What the demo was asked to do, from its command line.
// Law: bad words end with exit code 2 and the word that was meant.
import { parseArgs } from 'node:util';

export interface DemoOptions {
  readonly agent: string;
  /** A repository of the person's own; undefined: a small one is made. */
  readonly repo: string | undefined;
  /** Answer and confirm without asking. */
  readonly yes: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

export const usage = `Usage: makima demo [--yes] [--json] [--agent scripted|claude] [--repo <path>]

Shows the whole of makima on a small repository whose tests fail: a supervisor
splits the goal into tasks, agents work in git working directories of their own,
a question comes up, a guarded phase waits for you, the supervisor's agent is
killed and comes back, branches are merged, and the tests pass. Needs no account
and no model: the agents follow scripts.

  -y, --yes           answer the questions for me
      --json          the last line on standard output is one JSON object
      --agent <kind>  scripted (default), or claude: your signed-in Claude Code
      --repo <path>   work in a repository of yours, on a branch of its own

Exit code: 0 completed, 5 it ended otherwise, 2 usage, 130 interrupted.
Example: makima demo --yes`;

export function readDemoOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      agent: { type: 'string', default: 'scripted' },
      repo: { type: 'string' },
      yes: { type: 'boolean', short: 'y', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.agent !== 'scripted' && values.agent !== 'claude') {
    throw new TypeError(`--agent takes scripted or claude, not ${values.agent}`);
  }
  return values as DemoOptions;
}
