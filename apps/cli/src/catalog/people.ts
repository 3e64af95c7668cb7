/** Commands of everyday: start something, follow it, answer, ask why. */
import { durationSeconds, wholeNumber, type CommandSpec, type OptionSpec } from './spec.ts';
import { contractOptions } from './contract-options.ts';
import { headings } from './headings.ts';

const watchText = `Exit: 0 completed, 3 after --timeout, 5 failed, 8 only a person can move it and nobody
is at this terminal, 130 after Ctrl-C. After 3, 8 and 130 the contract goes on.`;

const followTimeout: OptionSpec = {
  flags: '--timeout <time>',
  text: 'follow it for so long at most, as 30m or 2h',
  parse: durationSeconds,
};

export const peopleCommands: readonly CommandSpec[] = [
  {
    path: 'run',
    heading: headings.start,
    args: [['<goal>', "what is to be done, in your words; '-' reads it from stdin"]],
    summary: 'Hand over a goal: make a contract and start its supervisor',
    text: `Prints the contract's id and its address first. With --watch it tells the story and
ends with the contract. ${watchText}`,
    examples: [
      'makima run "fix the failing test" --repo . --watch',
      'makima run - --repo ~/shop --type specification < goal.md',
    ],
    options: [
      ...contractOptions,
      { flags: '-w, --watch', text: 'tell the story as it happens' },
      followTimeout,
    ],
    load: () => import('../commands/run.ts'),
  },
  {
    path: 'watch',
    heading: headings.start,
    args: [['<contract>', 'id, its beginning, or slug']],
    summary: 'Tell the story of a contract until it ends',
    text: watchText,
    examples: ['makima watch fix-login-redirect'],
    options: [
      { flags: '--new', text: 'leave out what happened before now' },
      { flags: '-v, --verbose', text: 'with every event, the book-keeping too' },
      followTimeout,
    ],
    load: () => import('../commands/watch.ts'),
  },
  {
    path: 'events',
    heading: headings.start,
    summary: 'What happened, oldest first',
    text: 'With --follow it goes on for ever, through restarts of the server, and misses nothing.',
    examples: [
      'makima events --follow --contract fix-login-redirect',
      'makima events --follow --new -o json | jq .type',
    ],
    options: [
      { flags: '-f, --follow', text: 'go on with what comes' },
      { flags: '--contract <contract>', text: 'only of this contract' },
      { flags: '--new', text: 'begin now' },
      { flags: '--after <cursor>', text: 'begin after this cursor' },
      { flags: '--tail <n>', text: 'only the last n of what is there', parse: wholeNumber(0) },
    ],
    load: () => import('../commands/events.ts'),
  },
  {
    path: 'inbox',
    heading: headings.answer,
    summary: 'What needs you, most urgent first',
    examples: ['makima inbox'],
    load: () => import('../commands/inbox.ts'),
  },
  {
    path: 'answer',
    heading: headings.answer,
    args: [
      ['<question>', 'id, its beginning, or the slug of a contract with one open question'],
      ['[answer...]', 'your words, or the number of a choice'],
    ],
    summary: 'Answer a question; the first answer counts',
    text: `Where several choices may be taken, give several numbers. --text takes a number as words.
An agent that asks to use a tool is allowed by a plain yes only; a refusal may say why, and the
agent reads it. A question with a default answers itself when its time is over, unless you stop
the countdown.`,
    examples: [
      'makima answer 0199a2b3 2',
      'makima answer fix-login-redirect use the existing session cookie',
      'makima answer 0199a2b3 deny use the test database',
      'makima answer 0199a2b3 --stop-countdown',
    ],
    options: [
      { flags: '--text', text: 'the answer is words, even if it looks like a number' },
      { flags: '--stop-countdown', text: 'no answer yet, but it shall not answer itself' },
    ],
    load: () => import('../commands/answer.ts'),
  },
  {
    path: 'why',
    heading: headings.answer,
    args: [['<id>', 'contract or task: id, its beginning, slug, or contract/task']],
    summary: 'Why it is not moving: what is missing, since when, who can act, and how',
    examples: ['makima why fix-login-redirect', 'makima why fix-login-redirect/write-tests'],
    load: () => import('../commands/why.ts'),
  },
];
