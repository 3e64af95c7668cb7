/** Commands of webhooks: who is told of events, and how it went. */
import { headings } from './headings.ts';
import { durationSeconds, wholeNumber, type CommandSpec, type GroupSpec } from './spec.ts';

export const webhooksGroup: GroupSpec = {
  name: 'webhooks',
  alias: 'webhook',
  summary: 'Addresses that are told of events: programs, and phones by ntfy',
  example: 'makima webhooks list',
  heading: headings.things,
};

const webhook = ['<webhook>', 'id, its beginning, or name'] as const;

export const webhookCommands: readonly CommandSpec[] = [
  {
    path: 'webhooks create',
    args: [['<url>', 'where to POST; with --ntfy the address of the ntfy server']],
    summary: 'Tell an address of events; its secret is printed once',
    text: `Without --events it is told of what needs a person. Signed as Standard Webhooks. Only https
to public addresses, unless the installation allows a host (MAKIMA_WEBHOOK_ALLOWED_HOSTS).`,
    examples: [
      'makima webhooks create https://hooks.example.com/makima --events contract.completed',
      'makima webhooks create https://ntfy.sh --ntfy my-own-topic',
      'makima webhooks create https://ntfy.example.com --ntfy ops --token-stdin < token',
    ],
    options: [
      { flags: '--name <name>', text: 'what it is called (default: the host)' },
      {
        flags: '--events <type>',
        text: "a type of event, or 'all'; may be given several times",
        repeatable: true,
      },
      {
        flags: '--contract <contract>',
        text: 'only of this contract; may be given several times',
        repeatable: true,
      },
      { flags: '--ntfy <topic>', text: 'messages for a phone, to this topic of an ntfy server' },
      { flags: '--token-stdin', text: 'read the token that the ntfy server asks for from stdin' },
    ],
    load: () => import('../commands/webhooks-create.ts'),
  },
  {
    path: 'webhooks list',
    summary: 'Who is told of events, and how they do',
    examples: ['makima webhooks list'],
    load: () => import('../commands/webhooks-list.ts'),
  },
  {
    path: 'webhooks show',
    args: [webhook],
    summary: 'One webhook',
    examples: ['makima webhooks show ops'],
    load: () => import('../commands/webhooks-show.ts'),
  },
  {
    path: 'webhooks test',
    args: [webhook],
    summary: 'Send a test and say how it went',
    text: 'Exit: 0 when it was taken, 1 when it was not, 3 when nothing is known after half a minute.',
    examples: ['makima webhooks test ops'],
    load: () => import('../commands/webhooks-test.ts'),
  },
  {
    path: 'webhooks deliveries',
    args: [webhook, ['[delivery]', 'id: with what was sent and every try']],
    summary: 'What was delivered, is tried again, or failed; newest first',
    examples: [
      'makima webhooks deliveries ops --state failed',
      'makima webhooks deliveries ops 0199c0a1-5c4e-7c1a-9d55-2f0a6b1c7e10',
    ],
    options: [
      {
        flags: '--state <state>',
        text: 'only those',
        choices: ['pending', 'delivered', 'failed'],
      },
      { flags: '--limit <n>', text: 'at most so many', default: 50, parse: wholeNumber(1, 200) },
    ],
    load: () => import('../commands/webhooks-deliveries.ts'),
  },
  {
    path: 'webhooks replay',
    args: [webhook, ['[delivery]', 'id of one; or --since']],
    summary: 'Deliver once more: one, or everything since a time, under the ids that they had',
    examples: [
      'makima webhooks replay ops --since 2h',
      'makima webhooks replay ops 0199c0a1-5c4e-7c1a-9d55-2f0a6b1c7e10',
    ],
    options: [
      { flags: '--since <time>', text: 'how long ago (2h), or a moment (2026-03-01T10:00:00Z)' },
      { flags: '--until <time>', text: 'the same, for the end (default: now)' },
    ],
    load: () => import('../commands/webhooks-replay.ts'),
  },
  {
    path: 'webhooks rotate',
    args: [webhook],
    summary: 'A new secret, printed once; the former one signs too for a while',
    examples: ['makima webhooks rotate ops --overlap 1d'],
    options: [
      {
        flags: '--overlap <time>',
        text: 'how long both sign (default: 1d)',
        parse: durationSeconds,
      },
    ],
    load: () => import('../commands/webhooks-rotate.ts'),
  },
  {
    path: 'webhooks enable',
    args: [webhook],
    summary: 'Bring back what was disabled or set aside: it is told of what comes from now on',
    text: 'What waits is tried again at once. What happened meanwhile: makima webhooks replay.',
    examples: ['makima webhooks enable ops'],
    load: () => import('../commands/webhooks-enable.ts'),
  },
  {
    path: 'webhooks disable',
    args: [webhook],
    summary: 'Tell it nothing until it is enabled again',
    examples: ['makima webhooks disable ops'],
    load: () => import('../commands/webhooks-disable.ts'),
  },
  {
    path: 'webhooks delete',
    args: [webhook],
    summary: 'Delete a webhook with its log',
    examples: ['makima webhooks delete ops --yes'],
    options: [{ flags: '-y, --yes', text: 'do not ask' }],
    load: () => import('../commands/webhooks-delete.ts'),
  },
];
