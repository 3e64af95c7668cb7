/** What a supervisor does with code, as commands: files, checkpoints, branches, merges, pull requests. */
import { wholeNumber, type CommandSpec } from './spec.ts';
import { contractOption, onceOption, taskArgument, timeoutOption } from './supervisor.ts';

const ownTask = ['[task]', 'id, its beginning, or name (agents: their own)'] as const;

export const supervisorCodeCommands: readonly CommandSpec[] = [
  {
    path: 'supervisor read-file',
    args: [taskArgument, ['<path>', 'its path in the directory of the task']],
    summary: 'A file in the directory of a task',
    examples: ['makima supervisor read-file write-tests src/csv.test.ts'],
    options: [
      { flags: '--from <line>', text: 'first line (default: 1)', parse: wholeNumber(1) },
      { flags: '--lines <n>', text: 'how many lines (default: 400)', parse: wholeNumber(1) },
    ],
    load: () => import('../commands/supervisor-read-file.ts'),
  },
  {
    path: 'supervisor checkpoint',
    args: [['<message...>', "what stands now; '-' reads it from stdin"]],
    summary: 'Save everything in a task’s directory as a commit to come back to',
    text: 'Untracked files are in it too; the branch and the index stay as they are.',
    examples: [
      'makima supervisor checkpoint the test fails as it should',
      'makima supervisor checkpoint half way --task write-tests',
    ],
    options: [
      { flags: '--task <task>', text: 'whose directory (agents: their own by default)' },
      timeoutOption,
      onceOption,
    ],
    load: () => import('../commands/supervisor-checkpoint.ts'),
  },
  {
    path: 'supervisor checkpoints',
    args: [ownTask],
    summary: 'The checkpoints of a task, oldest first',
    examples: ['makima supervisor checkpoints write-tests'],
    load: () => import('../commands/supervisor-checkpoints.ts'),
  },
  {
    path: 'supervisor branch',
    args: [['<name>', 'short (try-two) or whole (makima/<contract>.try-two)']],
    summary: 'Make a branch beside the contract’s own',
    examples: ['makima supervisor branch try-two', 'makima supervisor branch try-two --from main'],
    options: [
      {
        flags: '--from <ref>',
        text: 'branch, tag or commit to begin at (default: where your own commits stand)',
      },
      contractOption,
      timeoutOption,
      onceOption,
    ],
    load: () => import('../commands/supervisor-branch.ts'),
  },
  {
    path: 'supervisor merge',
    args: [taskArgument],
    summary: 'Bring a task’s work into the contract’s branch, or another one',
    text: 'Exit: 0 merged, 3 not over in time or waiting for a person, 6 conflicts (both sides are shown), 4 denied: nothing changed.',
    examples: [
      'makima supervisor merge write-tests',
      'makima supervisor merge write-tests --into makima/fix-it.try-two --squash',
    ],
    options: [
      {
        flags: '--into <branch>',
        text: 'target branch (default: the task’s, else the contract’s)',
      },
      { flags: '--squash', text: 'as one commit' },
      timeoutOption,
      onceOption,
    ],
    load: () => import('../commands/supervisor-merge.ts'),
  },
  {
    path: 'supervisor diff',
    args: [taskArgument],
    summary: 'What a task changed against where it began',
    examples: ['makima supervisor diff write-tests'],
    options: [timeoutOption],
    load: () => import('../commands/supervisor-diff.ts'),
  },
  {
    path: 'supervisor pr',
    args: [['<branch>', 'the contract’s branch, or one beside it']],
    summary: 'Push a branch and open a pull request for it; one per branch',
    text: 'Exit: 0 open, 3 not over in time or waiting for a person, 4 denied.',
    examples: [
      'makima supervisor pr makima/fix-it --title "Fix the login redirect"',
      'makima supervisor pr try-two --title "Another way" --body - < body.md',
    ],
    options: [
      { flags: '--title <title>', text: 'its title' },
      { flags: '--body <text>', text: "its text; '-' reads it from stdin" },
      contractOption,
      timeoutOption,
      onceOption,
    ],
    load: () => import('../commands/supervisor-pr.ts'),
  },
];
