/** Commands of tasks. */
import { headings } from './headings.ts';
import { wholeNumber, type CommandSpec, type GroupSpec } from './spec.ts';

export const tasksGroup: GroupSpec = {
  name: 'tasks',
  alias: 'task',
  bare: 'list',
  summary: 'Work of single agents: look, listen, talk, stop',
  example: 'makima tasks list',
  heading: headings.things,
};

const task = ['<task>', 'id, its beginning, or contract/task with its name'] as const;

export const taskCommands: readonly CommandSpec[] = [
  {
    path: 'tasks list',
    args: [['[contract]', 'id, its beginning, or slug (default: every contract that is not over)']],
    summary: 'Tasks of a contract, oldest first',
    examples: ['makima tasks list fix-login-redirect', 'makima tasks fix-login-redirect'],
    load: () => import('../commands/tasks-list.ts'),
  },
  {
    path: 'tasks show',
    args: [task],
    summary: 'One task with its attempts',
    examples: ['makima tasks show fix-login-redirect/write-tests'],
    load: () => import('../commands/tasks-show.ts'),
  },
  {
    path: 'tasks output',
    args: [task],
    summary: 'What its agent wrote, oldest first',
    text: 'With --follow it ends with the task: 0 when that is done, 5 when it ended badly.',
    examples: ['makima tasks output 0199a2b3 --follow'],
    options: [
      { flags: '-f, --follow', text: 'go on until the task ends' },
      {
        flags: '--tail <n>',
        text: 'only the last n lines of what is there',
        parse: wholeNumber(0),
      },
    ],
    load: () => import('../commands/tasks-output.ts'),
  },
  {
    path: 'tasks message',
    args: [task, ['<message...>', 'what to tell its agent']],
    summary: 'Tell an agent something',
    examples: ['makima tasks message fix-login/write-tests --mode steer use vitest, not jest'],
    options: [
      {
        flags: '--mode <mode>',
        text: 'queue: after its turn; steer: within it; interrupt: stop what it does',
        choices: ['queue', 'steer', 'interrupt'],
        default: 'queue',
      },
    ],
    load: () => import('../commands/tasks-message.ts'),
  },
  {
    path: 'tasks cancel',
    args: [task],
    summary: 'Stop a task; its work is kept on a ref',
    examples: ['makima tasks cancel fix-login-redirect/write-tests --yes'],
    options: [
      { flags: '--reason <text>', text: 'why' },
      { flags: '-y, --yes', text: 'do not ask' },
    ],
    load: () => import('../commands/tasks-cancel.ts'),
  },
];
