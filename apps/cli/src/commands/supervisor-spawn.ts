/** `makima supervisor spawn`: another agent on a piece of work. */
import { budgetGiven, type BudgetOptions } from '../budget.ts';
import { usageError } from '../print-error.ts';
import type { Shell } from '../shell.ts';
import {
  contractOf,
  given,
  runVerb,
  taskOf,
  tasksOf,
  wordsOf,
  type Value,
  type VerbOptions,
  word,
} from '../supervisor/verb.ts';

interface SpawnOptions extends VerbOptions, BudgetOptions {
  readonly name?: string;
  readonly plan?: string;
  readonly parent?: string;
  readonly needs?: readonly string[];
  readonly continueFrom?: string;
  readonly checkpoint?: string;
  readonly repo?: string;
  readonly base?: string;
  readonly target?: string;
  readonly targetRepo?: string;
  readonly copyFile?: readonly string[];
  readonly shared?: true;
  readonly onDone?: string;
  readonly loop?: true;
  readonly agent?: string;
  readonly model?: string;
  readonly priority?: number;
  readonly description?: string;
}

export async function run(
  shell: Shell,
  _args: readonly [],
  options: SpawnOptions,
): Promise<number> {
  const input = { ...(await contractOf(shell, options)), ...(await inputOf(shell, options)) };
  const { once } = options;
  return runVerb(
    shell,
    { tool: 'makima_spawn', input },
    {
      ...(once === undefined ? {} : { once }),
      tell: ({ taskId, name }) => `${word(taskId)}  ${word(name)}`,
    },
  );
}

async function inputOf(shell: Shell, options: SpawnOptions): Promise<Value> {
  const { name, plan, parent, needs = [], continueFrom } = options;
  if (name === undefined || plan === undefined) {
    throw usageError('a task needs a name and a plan', 'add --name <name> --plan <text>');
  }
  return given({
    name,
    plan: await wordsOf(shell, plan),
    parentTaskId: parent === undefined ? undefined : await taskOf(shell, parent),
    needs: await tasksOf(shell, needs),
    continueFromTaskId: continueFrom === undefined ? undefined : await taskOf(shell, continueFrom),
    checkpointSha: options.checkpoint,
    repositoryUrl: options.repo,
    baseBranch: options.base,
    targetBranch: options.target,
    targetRepoPath: options.targetRepo,
    copyFiles: options.copyFile ?? [],
    ownWorktree: options.shared !== true,
    completionAction: options.onDone,
    autonomousLoop: options.loop === true,
    agent: options.agent,
    model: options.model,
    priority: options.priority,
    budget: budgetGiven(options),
    description: options.description,
  });
}
