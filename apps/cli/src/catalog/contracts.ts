/** Commands of contracts. */
import { budgetMax } from '@makima/domain/budget';
import { contractStatuses } from '@makima/domain/contract';
import { resumeModes } from '@makima/domain/resume';
import { contractOptions } from './contract-options.ts';
import { headings } from './headings.ts';
import { durationSeconds, wholeNumber, wordsOf, type CommandSpec, type GroupSpec } from './spec.ts';

export const contractsGroup: GroupSpec = {
  name: 'contracts',
  alias: 'contract',
  summary: 'Units of work: create, look, move, end',
  example: 'makima contracts list',
  heading: headings.things,
};

const contract = [['<contract>', 'id, its beginning, or slug']] as const;

export const contractCommands: readonly CommandSpec[] = [
  {
    path: 'contracts create',
    args: [['<goal>', "what is to be done, in your words; '-' reads it from stdin"]],
    summary: 'Make a contract',
    examples: ['makima contracts create "add csv export" --repo . --no-start'],
    options: [...contractOptions, { flags: '--no-start', text: 'do not start its supervisor yet' }],
    load: () => import('../commands/contracts-create.ts'),
  },
  {
    path: 'contracts list',
    summary: 'Contracts, those that need you first',
    examples: [
      'makima contracts list',
      'makima contracts list --status completed,failed -o json',
      'makima contracts list --stale --threshold 1h -o compact',
    ],
    options: [
      {
        flags: '--status <statuses>',
        text: `only of these, separated by commas: ${contractStatuses.join(', ')}`,
        parse: wordsOf(contractStatuses),
      },
      { flags: '--phase <phase>', text: 'only in this phase' },
      { flags: '--waiting', text: 'only those that wait for a person' },
      { flags: '--stale', text: 'only those that have made no progress for long, and should' },
      {
        flags: '--threshold <time>',
        text: 'how long that is, as 30m or 2h (default: as the server says)',
        parse: durationSeconds,
      },
      {
        flags: '-n, --limit <n>',
        text: 'most rows',
        default: 50,
        parse: wholeNumber(1, 200),
      },
      { flags: '--all', text: 'every one' },
    ],
    load: () => import('../commands/contracts-list.ts'),
  },
  {
    path: 'contracts monitor',
    args: [['[contracts...]', 'only these; ids, their beginnings, or slugs']],
    summary: 'What happens to contracts, as it happens',
    text: `It goes on where it was when the server restarts, and ends with Ctrl-C.`,
    examples: [
      'makima contracts monitor',
      'makima contracts monitor fix-login-redirect --quiet',
      'makima contracts monitor --status active,blocked -o json',
    ],
    options: [
      { flags: '--status <statuses>', text: 'only while they have one of these, by commas' },
      { flags: '--stale', text: 'only which become stale, and which move again' },
      { flags: '--heartbeats', text: 'the signs of life of supervisors too' },
      { flags: '--quiet', text: 'only status, phase, questions and what becomes stale' },
      { flags: '--after <cursor>', text: 'go on after this cursor' },
    ],
    load: () => import('../commands/contracts-monitor.ts'),
  },
  {
    path: 'contracts show',
    args: contract,
    summary: 'One contract: where it stands, what it owes, what was kept',
    examples: [
      'makima contracts show fix-login-redirect',
      'makima contracts show fix-login-redirect --verbose',
    ],
    options: [{ flags: '--verbose', text: 'also its tasks, and what shows each deliverable' }],
    load: () => import('../commands/contracts-show.ts'),
  },
  {
    path: 'contracts start',
    args: contract,
    summary: 'Start the supervisor of a contract that has none',
    examples: ['makima contracts start add-csv-export'],
    load: () => import('../commands/contracts-start.ts'),
  },
  {
    path: 'contracts trust',
    args: contract,
    summary:
      'Let hooks and tool servers of its repository run; by default nothing of it is executed',
    text: `For owners. What a trusted repository's own settings say runs as the user of the daemon, from the
next start of an agent on: trust what you would run yourself. --off takes it back.`,
    examples: [
      'makima contracts trust fix-login-redirect --yes',
      'makima contracts trust fix-login-redirect --repository shop --off',
    ],
    options: [
      {
        flags: '--repository <repository>',
        text: 'name or id of the repository, when there are several',
      },
      { flags: '--off', text: 'trust it no more' },
      { flags: '-y, --yes', text: 'do not ask' },
    ],
    load: () => import('../commands/contracts-trust.ts'),
  },
  {
    path: 'contracts budget',
    args: [...contract, ['[dollars]', 'what all its agents may spend']],
    summary: 'See or change what a contract may spend',
    text: `At 80 % you are told, at 100 % its agents are stopped and you are asked. Whoever is stopped goes on
when the budget is enough again. Without an amount it shows how much is used.`,
    examples: [
      'makima contracts budget fix-login-redirect 20',
      'makima contracts budget fix-login-redirect --tokens 5000000',
      'makima contracts budget fix-login-redirect --none',
    ],
    options: [
      { flags: '--tokens <n>', text: 'in tokens of every kind', parse: wholeNumber(1, budgetMax) },
      { flags: '--none', text: 'without a budget' },
    ],
    load: () => import('../commands/contracts-budget.ts'),
  },
  {
    path: 'contracts advance',
    args: contract,
    summary: 'Move to the next phase',
    text: `A guarded phase is left only with --confirm: you confirm it as it stands now, with the
deliverables that it has. In the last phase --confirm confirms the completion.`,
    examples: [
      'makima contracts advance fix-login-redirect --confirm',
      'makima contracts advance fix-login-redirect --phase execute --force',
    ],
    options: [
      { flags: '--phase <phase>', text: 'the phase to enter (default: the next)' },
      { flags: '--confirm', text: 'confirm what the guard asks for' },
      { flags: '--force', text: 'although deliverables are missing; never past a guard' },
    ],
    load: () => import('../commands/contracts-advance.ts'),
  },
  {
    path: 'contracts pause',
    args: contract,
    summary: 'Start nothing more until it is resumed',
    text: `Agents are stopped at once; with --finish-turn each may end its turn first. Paused once more without it,
        they are stopped now.`,
    examples: [
      'makima contracts pause fix-login-redirect --reason "demo day"',
      'makima contracts pause fix-login-redirect --finish-turn 10m',
    ],
    options: [
      { flags: '--reason <text>', text: 'why' },
      {
        flags: '--finish-turn <time>',
        text: 'let agents end their turns, within this time',
        parse: durationSeconds,
      },
    ],
    load: () => import('../commands/contracts-pause.ts'),
  },
  {
    path: 'contracts resume',
    args: contract,
    summary: 'Go on after a pause or a block',
    examples: ['makima contracts resume fix-login-redirect'],
    options: [{ flags: '--reason <text>', text: 'why' }],
    load: () => import('../commands/contracts-resume.ts'),
  },
  {
    path: 'contracts supervisor',
    args: contract,
    summary: 'Its supervisor: what it does, and when it was last heard of',
    examples: [
      'makima contracts supervisor fix-login-redirect',
      'makima contracts supervisor fix-login-redirect --sync',
    ],
    options: [{ flags: '--sync', text: 'make its state what the rows say, and save it, first' }],
    load: () => import('../commands/contracts-supervisor.ts'),
  },
  {
    path: 'contracts heartbeats',
    args: contract,
    summary: 'What its supervisor did over the last 24 hours, newest first',
    examples: ['makima contracts heartbeats fix-login-redirect -n 20'],
    options: [
      { flags: '-n, --limit <n>', text: 'most rows', default: 50, parse: wholeNumber(1, 1_000) },
    ],
    load: () => import('../commands/contracts-heartbeats.ts'),
  },
  {
    path: 'contracts restart-supervisor',
    args: contract,
    summary:
      'Bring its supervisor back: where it was, at the start of its phase, or at a checkpoint',
    text: `For one that went away, was restored too often, or waits; one that runs is left alone. A contract that
is paused or blocked goes on with it.`,
    examples: [
      'makima contracts restart-supervisor fix-login-redirect',
      'makima contracts restart-supervisor fix-login-redirect --mode from_checkpoint --checkpoint 2',
    ],
    options: [
      {
        flags: '--mode <mode>',
        text: 'continue, restart_phase (empty conversation) or from_checkpoint',
        choices: resumeModes,
        default: 'continue',
      },
      { flags: '--checkpoint <n>', text: 'number or id of the checkpoint (default: the last)' },
      { flags: '--daemon <daemon>', text: 'name or id of the machine where it is to start' },
      { flags: '--context <text>', text: 'what it is told beside what happened' },
    ],
    load: () => import('../commands/contracts-restart-supervisor.ts'),
  },
  {
    path: 'contracts cancel',
    args: contract,
    summary: 'End it; what its agents made is kept on refs',
    examples: ['makima contracts cancel fix-login-redirect --reason "done by hand" --yes'],
    options: [
      { flags: '--reason <text>', text: 'why' },
      { flags: '-y, --yes', text: 'do not ask' },
    ],
    load: () => import('../commands/contracts-cancel.ts'),
  },
];
