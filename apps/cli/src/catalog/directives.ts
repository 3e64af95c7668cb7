/** Commands of directives and orders. */
import { directiveStatuses, orderStatuses, orderTypes } from '@makima/domain/directive';
import { reconcileModes } from '@makima/domain/question';
import { headings } from './headings.ts';
import { wholeNumber, type CommandSpec, type GroupSpec, type OptionSpec } from './spec.ts';

export const directivesGroup: GroupSpec = {
  name: 'directives',
  alias: 'directive',
  summary: 'Standing goals, whose agents order work: set, look, change',
  example: 'makima directives list',
  heading: headings.things,
};

export const ordersGroup: GroupSpec = {
  name: 'orders',
  alias: 'order',
  summary: 'What agents of directives ordered: accept or dismiss',
  example: 'makima orders list',
  heading: headings.things,
};

const directive = [['<directive>', 'id, its beginning, or title']] as const;
const order = [['<order>', 'id, its beginning, or title']] as const;
const limit: OptionSpec = {
  flags: '-n, --limit <n>',
  text: 'most rows',
  default: 50,
  parse: wholeNumber(1, 200),
};
const mode: OptionSpec = {
  flags: '--mode <mode>',
  text: 'how long a question of its agents blocks: auto 30 s, the others until you answer',
  choices: reconcileModes,
};

export const directiveCommands: readonly CommandSpec[] = [
  {
    path: 'directives create',
    args: [['<goal>', "what should always be so, in your words; '-' reads it from stdin"]],
    summary: 'Set a standing goal, and send an agent',
    text: `The agent changes nothing: it places orders, spikes and chores, and you decide about each.`,
    examples: [
      'makima directives create "no dependency is older than a year" --repo . --mode semi-auto',
    ],
    options: [
      { flags: '--repo <path or url>', text: 'the repository to look at (default: this folder)' },
      { flags: '--title <title>', text: 'a short title (default: from the goal)' },
      { flags: '--base <branch>', text: 'branch to look at' },
      mode,
      { flags: '--agent <agent>', text: 'coding agent', default: 'claude' },
      { flags: '--model <model>', text: "the agent's model" },
      { flags: '--no-start', text: 'send no agent yet' },
    ],
    load: () => import('../commands/directives-create.ts'),
  },
  {
    path: 'directives list',
    summary: 'Directives, newest first',
    examples: ['makima directives list --status active'],
    options: [
      { flags: '--status <status>', text: 'only of this status', choices: directiveStatuses },
      limit,
    ],
    load: () => import('../commands/directives-list.ts'),
  },
  {
    path: 'directives show',
    args: directive,
    summary: 'One directive: its agents, and what its orders became',
    examples: ['makima directives show "keep dependencies fresh"'],
    load: () => import('../commands/directives-show.ts'),
  },
  {
    path: 'directives set',
    args: directive,
    summary: 'Change a directive, or archive it',
    examples: [
      'makima directives set 0199a2b3 --mode manual',
      'makima directives set 0199a2b3 --status archived',
    ],
    options: [
      { flags: '--title <title>', text: 'another title' },
      { flags: '--goal <text>', text: "another goal; '-' reads it from stdin" },
      { flags: '--status <status>', text: 'active or archived', choices: directiveStatuses },
      mode,
      { flags: '--repo <path or url>', text: 'another repository' },
      { flags: '--base <branch>', text: 'another branch to look at' },
      { flags: '--agent <agent>', text: 'another coding agent' },
      { flags: '--model <model>', text: 'another model' },
    ],
    load: () => import('../commands/directives-set.ts'),
  },
  {
    path: 'directives start',
    args: directive,
    summary: 'Send an agent to work for a directive again',
    examples: ['makima directives start 0199a2b3 --plan "look at src/api only"'],
    options: [
      { flags: '--name <name>', text: 'a name for this time (default: the title)' },
      { flags: '--plan <text>', text: "what to do this time; '-' reads it from stdin" },
      { flags: '--agent <agent>', text: 'another coding agent than the directive’s' },
      { flags: '--model <model>', text: 'its model' },
    ],
    load: () => import('../commands/directives-start.ts'),
  },
  {
    path: 'orders list',
    summary: 'Orders, newest first; those that wait for your word unless told otherwise',
    examples: ['makima orders list', 'makima orders list --status dismissed -o json'],
    options: [
      {
        flags: '--status <status>',
        text: 'only of this status; all for every one',
        choices: [...orderStatuses, 'all'],
        default: 'open',
      },
      { flags: '--directive <directive>', text: 'only of this directive' },
      { flags: '--type <type>', text: 'only spikes or chores', choices: orderTypes },
      { flags: '--label <label>', text: 'only with this label' },
      limit,
    ],
    load: () => import('../commands/orders-list.ts'),
  },
  {
    path: 'orders accept',
    args: order,
    summary: 'Make a contract of an order; accepted again it is the same contract',
    examples: ['makima orders accept 0199a2b3', 'makima orders accept 0199a2b3 --no-guard'],
    options: [
      { flags: '--name <name>', text: 'another name than the title' },
      {
        flags: '--type <type>',
        text: 'contract type: simple or specification',
        default: 'simple',
      },
      { flags: '--agent <agent>', text: 'another coding agent than the directive’s' },
      { flags: '--model <model>', text: "the agent's model" },
      { flags: '--no-guard', text: 'leave phases without asking you' },
      {
        flags: '--guard-phase <phase>',
        text: 'ask only before leaving this phase',
        repeatable: true,
      },
      { flags: '--no-start', text: 'do not start its supervisor yet' },
    ],
    load: () => import('../commands/orders-accept.ts'),
  },
  {
    path: 'orders dismiss',
    args: [...order, ['<reason...>', 'why not']],
    summary: 'Say no to an order',
    examples: ['makima orders dismiss 0199a2b3 we leave that library next month'],
    load: () => import('../commands/orders-dismiss.ts'),
  },
];
