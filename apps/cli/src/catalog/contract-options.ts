/** Options of everything that makes a contract: `run` and `contracts create`. */
import { contractBudget } from './budget-options.ts';
import { wholeNumber, type OptionSpec } from './spec.ts';

export const contractOptions: readonly OptionSpec[] = [
  {
    flags: '--repo <path or url>',
    text: 'the repository to work in; several: the first is the main one (default: this folder)',
    repeatable: true,
  },
  { flags: '--name <name>', text: 'a short name (default: from the goal)' },
  {
    flags: '--type <type>',
    text: 'contract type: simple, specification, or one of yours',
    default: 'simple',
  },
  { flags: '--base <branch>', text: 'branch to begin from' },
  { flags: '--agent <agent>', text: 'coding agent that leads and works', default: 'claude' },
  { flags: '--model <model>', text: "the agent's model" },
  { flags: '--no-guard', text: 'leave phases without asking you' },
  { flags: '--guard-phase <phase>', text: 'ask only before leaving this phase', repeatable: true },
  { flags: '--trust', text: 'let hooks and tool servers of the repository run (owners only)' },
  { flags: '--merge', text: 'merge the result into the base branch of a local repository' },
  { flags: '--pull-requests', text: 'let the supervisor open pull requests without asking you' },
  { flags: '--local-only', text: 'never push anything' },
  { flags: '--ask-permission', text: 'agents ask you before they use a tool of their own' },
  { flags: '--ask-at-end', text: 'ask you before it completes' },
  {
    flags: '--park-after <seconds>',
    text: 'how long its supervisor may wait before it gives up its process; 0: never',
    parse: wholeNumber(0, 604_800),
  },
  {
    flags: '--on-limit <what>',
    text: 'when an agent meets its usage limit: resume when it ends, or ask you',
    choices: ['resume', 'ask'],
  },
  ...contractBudget,
  { flags: '--priority <n>', text: 'from -100 to 100', parse: wholeNumber(-100, 100) },
];
