/** What a supervisor does, as commands: for agents in their shells, and for people. */
import { completionActions } from '@makima/domain/completion-action';
import { orderPriorities, orderTypes } from '@makima/domain/directive';
import { taskBudget } from './budget-options.ts';
import { headings } from './headings.ts';
import {
  durationSeconds,
  wholeNumber,
  type CommandSpec,
  type GroupSpec,
  type OptionSpec,
} from './spec.ts';

export const supervisorGroup: GroupSpec = {
  name: 'supervisor',
  summary: 'Lead a contract: spawn, wait, ask, take over. The verbs of a supervisor',
  example: 'makima supervisor spawn --name write-tests --plan "cover src/csv.ts with tests"',
  heading: headings.things,
};

/** Of verbs that speak of a contract. */
export const contractOption: OptionSpec = {
  flags: '--contract <contract>',
  text: 'id, its beginning, or slug (agents: their own)',
};
/** Of verbs that wait. */
export const timeoutOption: OptionSpec = {
  flags: '--timeout <time>',
  text: 'how long to wait: 0s to 1d (default: to the end; in the shell of an agent 100s)',
  parse: durationSeconds,
};
/** Of verbs that change something. */
export const onceOption: OptionSpec = {
  flags: '--once <key>',
  text: 'a key of yours: the same key is the same call and has one effect',
};

export const taskArgument = [
  '<task>',
  'id, its beginning, or name in your contract (people: contract/name)',
] as const;

export const supervisorCommands: readonly CommandSpec[] = [
  {
    path: 'supervisor spawn',
    summary: 'Start another agent on a piece of work',
    text: 'The plan has to stand alone: the agent does not see your conversation.',
    examples: [
      'makima supervisor spawn --name write-tests --plan "cover src/csv.ts with tests"',
      'makima supervisor spawn --name docs --plan - --needs write-tests < plan.md',
    ],
    options: [
      { flags: '--name <name>', text: 'a short name' },
      { flags: '--plan <text>', text: "what is to be done; '-' reads it from stdin" },
      contractOption,
      { flags: '--parent <task>', text: 'the task that it belongs to (default: the supervisor)' },
      { flags: '--needs <task>', text: 'a task that must be done first', repeatable: true },
      { flags: '--continue-from <task>', text: 'go on from the branch of this task' },
      { flags: '--checkpoint <sha>', text: 'begin at this commit' },
      { flags: '--repo <url>', text: 'one of the contract’s repositories (default: the main one)' },
      { flags: '--base <branch>', text: 'branch to begin from' },
      { flags: '--target <branch>', text: 'branch that its work is for' },
      {
        flags: '--copy-file <path>',
        text: 'a file of the repository’s folder to copy in',
        repeatable: true,
      },
      { flags: '--shared', text: 'work in the supervisor’s directory, not in one of its own' },
      {
        flags: '--on-done <action>',
        text: 'what happens when it is done',
        choices: completionActions,
      },
      {
        flags: '--target-repo <path>',
        text: 'repository on the machine that --on-done branch and merge bring the branch to',
      },
      { flags: '--loop', text: 'have it go on by itself until it says that it is done' },
      { flags: '--agent <agent>', text: 'coding agent (default: the contract’s)' },
      { flags: '--model <model>', text: 'its model' },
      { flags: '--priority <n>', text: 'from -100 to 100', parse: wholeNumber(-100, 100) },
      ...taskBudget,
      { flags: '--description <text>', text: 'a line for people' },
      onceOption,
    ],
    load: () => import('../commands/supervisor-spawn.ts'),
  },
  {
    path: 'supervisor list',
    summary: 'The tasks of the contract, oldest first',
    examples: ['makima supervisor list'],
    options: [contractOption],
    load: () => import('../commands/supervisor-list.ts'),
  },
  {
    path: 'supervisor tree',
    summary: 'Who spawned whom',
    examples: ['makima supervisor tree'],
    options: [contractOption],
    load: () => import('../commands/supervisor-tree.ts'),
  },
  {
    path: 'supervisor wait',
    args: [['<tasks...>', 'ids, their beginnings, or names in your contract']],
    summary: 'Wait until tasks have ended',
    text: `Exit: 0 done, 3 not over in time (stdout has the handle to go on: --handle) or given up, 5 one ended badly.`,
    examples: [
      'makima supervisor wait write-tests docs',
      'makima supervisor wait a b --any --timeout 5m',
    ],
    options: [
      { flags: '--any', text: 'until one of them has ended' },
      { flags: '--handle <id>', text: 'go on with an earlier wait (waitId of its answer)' },
      {
        flags: '--expires <time>',
        text: 'give the wait itself up after this time; you are told once',
        parse: durationSeconds,
      },
      timeoutOption,
    ],
    load: () => import('../commands/supervisor-wait.ts'),
  },
  {
    path: 'supervisor result',
    args: [taskArgument],
    summary: 'What a task made: summary, error, branch, commit, attempts',
    examples: ['makima supervisor result write-tests'],
    load: () => import('../commands/supervisor-result.ts'),
  },
  {
    path: 'supervisor ask',
    args: [['<question...>', "what to ask a person; '-' reads it from stdin"]],
    summary: 'Ask a person, and wait for the answer',
    examples: ['makima supervisor ask "Which database?" --choice postgres --choice sqlite'],
    options: [
      { flags: '--choice <text>', text: 'an answer to choose', repeatable: true },
      { flags: '--multi', text: 'several choices may be taken' },
      { flags: '--context <text>', text: 'what the person should know' },
      { flags: '--no-wait', text: 'do not wait: the answer comes as a message' },
      timeoutOption,
      onceOption,
    ],
    load: () => import('../commands/supervisor-ask.ts'),
  },
  {
    path: 'supervisor poll',
    args: [['<question>', 'questionId of an earlier answer']],
    summary: 'Wait again for the answer to a question',
    examples: ['makima supervisor poll 0199a2b3-7c1d-7000-8000-0123456789ab'],
    options: [timeoutOption],
    load: () => import('../commands/supervisor-poll.ts'),
  },
  {
    path: 'supervisor order',
    args: [['<title...>', 'what should be done later, in a few words']],
    summary: 'Order future work for a directive; a person accepts or dismisses it',
    examples: ['makima supervisor order raise zod to 4.2 --type chore --label deps'],
    options: [
      {
        flags: '--type <type>',
        text: 'spike: find something out; chore: a change that needs no decision',
        choices: orderTypes,
      },
      { flags: '--description <text>', text: "what and why; '-' reads it from stdin" },
      {
        flags: '--priority <priority>',
        text: 'how urgent it is (default: medium)',
        choices: orderPriorities,
      },
      { flags: '--label <label>', text: 'a label', repeatable: true },
      { flags: '--repo <url>', text: 'another repository than the directive’s' },
      onceOption,
    ],
    load: () => import('../commands/supervisor-order.ts'),
  },
  {
    path: 'supervisor message',
    args: [taskArgument, ['[message...]', "what to tell its agent; '-' reads it from stdin"]],
    summary: 'Tell the agent of a task something',
    examples: ['makima supervisor message write-tests --mode steer use vitest, not jest'],
    options: [
      {
        flags: '--mode <mode>',
        text: 'queue: after its turn; steer: within it; interrupt: stop what it does',
        choices: ['queue', 'steer', 'interrupt'],
        default: 'queue',
      },
      {
        flags: '--receipt <id>',
        text: 'instead of a message: what became of this one (messageId of an answer)',
      },
      {
        flags: '--timeout <time>',
        text: 'how long to wait until it is read: 0s to 4m (default: 5s; for queue 0s)',
        parse: durationSeconds,
      },
      onceOption,
    ],
    load: () => import('../commands/supervisor-message.ts'),
  },
  {
    path: 'supervisor cancel',
    args: [taskArgument],
    summary: 'Stop a task for good; its work is kept on a ref',
    examples: ['makima supervisor cancel write-tests --reason "not needed any more"'],
    options: [{ flags: '--reason <text>', text: 'why' }, onceOption],
    load: () => import('../commands/supervisor-cancel.ts'),
  },
  {
    path: 'supervisor retry',
    args: [taskArgument],
    summary: 'Give an interrupted or paused task another attempt',
    examples: ['makima supervisor retry write-tests'],
    options: [onceOption],
    load: () => import('../commands/supervisor-retry.ts'),
  },
  {
    path: 'supervisor deliverable',
    args: [
      ['<deliverable>', 'its id, as makima supervisor status lists it'],
      ['[command...]', 'after --: a command that must exit 0 on the contract’s branch'],
    ],
    summary: 'Mark a deliverable of the phase as done, with evidence',
    examples: [
      'makima supervisor deliverable plan-document --file docs/plan.md',
      'makima supervisor deliverable tests-passing -- npm test',
    ],
    options: [
      { flags: '--file <path>', text: 'a file on the contract’s branch', repeatable: true },
      { flags: '--merged <task>', text: 'a merged task', repeatable: true },
      { flags: '--word <text>', text: 'your word; it does not count alone', repeatable: true },
      { flags: '--phase <phase>', text: 'its phase (default: the present one)' },
      contractOption,
      timeoutOption,
      onceOption,
    ],
    load: () => import('../commands/supervisor-deliverable.ts'),
  },
  {
    path: 'supervisor advance',
    args: [['<phase>', 'the phase to go to']],
    summary: 'Leave the phase when everything that it owes is done',
    text: 'A guarded phase is left only with a person’s confirmation: the request is opened, and waited for.',
    examples: ['makima supervisor advance execute'],
    options: [contractOption, timeoutOption, onceOption],
    load: () => import('../commands/supervisor-advance.ts'),
  },
  {
    path: 'supervisor complete',
    summary: 'Say that the contract is complete',
    text: 'It begins to complete when nothing is missing; where a person has to confirm, it waits for that.',
    examples: ['makima supervisor complete'],
    options: [contractOption, timeoutOption, onceOption],
    load: () => import('../commands/supervisor-complete.ts'),
  },
  {
    path: 'supervisor status',
    summary: 'Where the contract stands, what it owes; for the agent of a task: its task',
    examples: ['makima supervisor status'],
    options: [contractOption],
    load: () => import('../commands/supervisor-status.ts'),
  },
];
