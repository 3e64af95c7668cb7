/** Commands of daemons and keys. */
import { headings } from './headings.ts';
import { durationSeconds, wholeNumber, type CommandSpec, type GroupSpec } from './spec.ts';

export const daemonGroup: GroupSpec = {
  name: 'daemon',
  alias: 'daemons',
  summary: 'Machines that run agents: list, add, start here',
  example: 'makima daemon list',
  heading: headings.things,
};

export const keysGroup: GroupSpec = {
  name: 'keys',
  alias: 'key',
  summary: 'Keys of people and scripts',
  example: 'makima keys list',
  heading: headings.things,
};

export const machineCommands: readonly CommandSpec[] = [
  {
    path: 'daemon list',
    summary: 'Machines that run agents',
    examples: ['makima daemon list'],
    load: () => import('../commands/daemon-list.ts'),
  },
  {
    path: 'daemon revoke',
    args: [['<daemon>', 'id, its beginning, or name']],
    summary: 'Take a machine out: its key is worthless, its tasks go to others',
    text: 'What only that machine still owed to the end of a contract is left out.',
    examples: ['makima daemon revoke old-laptop --yes'],
    options: [{ flags: '-y, --yes', text: 'do not ask' }],
    load: () => import('../commands/daemon-revoke.ts'),
  },
  {
    path: 'daemon enrol',
    summary: 'Print the one line that makes another machine join',
    examples: ['makima daemon enrol --name build-box --expires 15m'],
    options: [
      { flags: '--name <name>', text: 'the name it gets' },
      {
        flags: '--expires <time>',
        text: 'how long the line works: 1m to 1d (default: 15m)',
        parse: durationSeconds,
      },
      {
        flags: '--gateway <url>',
        text: "address of the gateway's socket, as that machine sees it",
      },
    ],
    load: () => import('../commands/daemon-enrol.ts'),
  },
  {
    path: 'daemon join',
    args: [['[options...]', 'options of the daemon: --token, --token-stdin, --api, --name']],
    summary: 'Enrol this machine with a one-time token',
    examples: ['makima daemon join --api http://10.0.0.5:7400 --token-stdin < token'],
    passThrough: true,
    load: () => import('../commands/daemon-join.ts'),
  },
  {
    path: 'daemon start',
    args: [['[options...]', 'options of the daemon']],
    summary: 'Run agents on this machine, until stopped',
    examples: ['MAKIMA_GATEWAY_URL=ws://10.0.0.5:7401/daemon makima daemon start'],
    passThrough: true,
    load: () => import('../commands/daemon-start.ts'),
  },
  {
    path: 'keys create',
    args: [['<name>', 'for whom or what']],
    summary: 'Make a key; it is shown once',
    examples: ['makima keys create ci --scope read --expires-days 90'],
    options: [
      {
        flags: '--scope <scope>',
        text: 'read, write or owner (default: read and write)',
        choices: ['read', 'write', 'owner'],
        repeatable: true,
      },
      { flags: '--expires-days <n>', text: 'valid for n days', parse: wholeNumber(1, 3_650) },
    ],
    load: () => import('../commands/keys-create.ts'),
  },
  {
    path: 'keys list',
    summary: 'Keys, without their secrets',
    examples: ['makima keys list'],
    load: () => import('../commands/keys-list.ts'),
  },
  {
    path: 'keys revoke',
    args: [['<key>', 'id, its beginning, or name']],
    summary: 'Make a key worthless; what lives on it is closed',
    examples: ['makima keys revoke ci --yes'],
    options: [{ flags: '-y, --yes', text: 'do not ask' }],
    load: () => import('../commands/keys-revoke.ts'),
  },
];
