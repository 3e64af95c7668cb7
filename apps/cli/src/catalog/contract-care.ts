/** Commands that look after contracts: one that is to be understood, or many at once. */
import { batchOperations } from '@makima/domain/batch';
import { contractStatuses } from '@makima/domain/contract';
import { durationSeconds, wordsOf, type CommandSpec, type OptionSpec } from './spec.ts';

const contract = [['<contract>', 'id, its beginning, or slug']] as const;
const dryRun: OptionSpec = { flags: '--dry-run', text: 'only show what would be done' };

export const contractCareCommands: readonly CommandSpec[] = [
  {
    path: 'contracts health',
    args: contract,
    summary: 'Whether it is well: supervisor, machine, queue, progress, gate, what it waits for',
    text: 'Exit 0 when everything is well, 1 when something is not.',
    examples: ['makima contracts health fix-login-redirect'],
    load: () => import('../commands/contracts-health.ts'),
  },
  {
    path: 'contracts export',
    args: contract,
    summary: 'Everything about it as one JSON document: tasks, questions, events',
    examples: ['makima contracts export fix-login-redirect --output contract.json'],
    options: [{ flags: '--output <file>', text: 'write it there (default: print it)' }],
    load: () => import('../commands/contracts-export.ts'),
  },
  {
    path: 'contracts batch',
    args: [['<operation>', batchOperations.join(', ')]],
    summary: 'Change many contracts at once, after showing which',
    text: 'Owners only. Nothing is done without --yes or a yes at the prompt; where nobody can be asked it exits 2.',
    examples: [
      'makima contracts batch pause_all --reason "demo day" --finish-turn 10m',
      'makima contracts batch restart_stale --threshold 1h --yes',
    ],
    options: [
      {
        flags: '--older-than <time>',
        text: 'only those that have been so for that long, as 7d',
        parse: durationSeconds,
      },
      {
        flags: '--status <statuses>',
        text: 'only some of its statuses, separated by commas',
        parse: wordsOf(contractStatuses),
      },
      {
        flags: '--threshold <time>',
        text: 'silence after which a supervisor is stale, as 30m',
        parse: durationSeconds,
      },
      {
        flags: '--finish-turn <time>',
        text: 'of pause_all: let agents end their turns, within this time',
        parse: durationSeconds,
      },
      { flags: '--reason <text>', text: 'why' },
      dryRun,
      { flags: '-y, --yes', text: 'do not ask' },
    ],
    load: () => import('../commands/contracts-batch.ts'),
  },
  {
    path: 'contracts skip-validator',
    args: contract,
    summary: 'Leave the present phase without its validator',
    text: `For a validator that can never pass. It holds for this contract alone; a guard stays, and so does
what else the phase owes.`,
    examples: ['makima contracts skip-validator fix-login-redirect --yes'],
    options: [{ flags: '-y, --yes', text: 'do not ask' }],
    load: () => import('../commands/contracts-skip-validator.ts'),
  },
  {
    path: 'contracts cleanup',
    summary: 'Archive what ended, delete what was archived, clean what machines left behind',
    text: `Shows what it would do, and does it only with --force or a yes at the prompt. What was not merged
is kept on refs of its repository, whatever is deleted here.`,
    examples: [
      'makima contracts cleanup --archive --older-than 7d',
      'makima contracts cleanup --all --older-than 30d --force',
    ],
    options: [
      { flags: '--archive', text: 'archive contracts that are completed or failed' },
      { flags: '--delete-archived', text: 'delete archived contracts' },
      { flags: '--worktrees', text: 'clean directories that machines left behind' },
      { flags: '--all', text: 'all of these' },
      {
        flags: '--older-than <time>',
        text: 'only those that have been so for that long (default: 7d)',
        parse: durationSeconds,
      },
      dryRun,
      { flags: '--force', text: 'do not ask' },
    ],
    load: () => import('../commands/contracts-cleanup.ts'),
  },
];
