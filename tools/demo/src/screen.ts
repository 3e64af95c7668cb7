// What the demo says: its own lines, the events of the contract as a story, and the agents' own words.
// Why: somebody who has never seen makima must be able to follow every line.
// Law: everything goes to standard error, so that the JSON line stands alone on standard output. While a
// person types an answer nothing is written over it: lines wait until the prompt is gone.
import pc from 'picocolors';
import { wantsColor } from '@makima/cli/io';
import { headline } from '@makima/cli/plain';
import { isChatter, storyContext, storyLine } from '@makima/cli/story';
import { clockTime } from '@makima/cli/time';
import type { Event } from '@makima/contracts/entity/event';

/** Left out beside the book-keeping: what another line of the demo tells better. */
const quiet: ReadonlySet<Event['type']> = new Set([
  'contract.created',
  'contract.status_changed',
  'contract.ready',
  'task.interrupted',
  'task.kept',
  'supervisor.restored',
  'supervisor.state_changed',
  'question.asked',
]);

/** Book-keeping elsewhere, but a part of this story. */
const telling: ReadonlySet<Event['type']> = new Set(['wait.started']);

export interface Word {
  /** Who says it. */
  readonly name: string;
  readonly text: string;
  /** ISO time. */
  readonly at: string;
}

export interface Screen {
  /** A person looks at it. */
  readonly watched: boolean;
  /** Lines of the demo itself. */
  say(text: string): void;
  /** What is easily missed and must not be: between two rules, in colour. */
  shout(tone: 'bad' | 'good' | 'asks', lines: readonly string[]): void;
  /** The line of an event, if it has one here. */
  tell(event: Event): void;
  /** What an agent said. */
  quote(word: Word): void;
  /** From now on lines wait. Returns how to let them go. */
  hold(): () => void;
}

export function screenOf(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Screen {
  const colors = pc.createColors(wantsColor(env, stream.isTTY));
  const columns = stream.isTTY ? Math.max(40, stream.columns || 80) : Number.POSITIVE_INFINITY;
  const context = storyContext({ colors, columns, ellipsis: '...' }, { showContract: false });
  const tones = { bad: colors.red, good: colors.green, asks: colors.yellow };
  let held: string[] | undefined;
  const write = (text: string): void => {
    if (held === undefined) stream.write(`${text}\n`);
    else held.push(text);
  };
  return {
    watched: stream.isTTY,
    say: write,
    shout(tone, lines) {
      const rule = '-'.repeat(Math.min(78, columns));
      const body = lines.map((line) => `  ${line}`);
      write(tones[tone](colors.bold([rule, ...body, rule].join('\n'))));
    },
    tell(event) {
      const line = storyLine(event, context);
      if (quiet.has(event.type) || (isChatter(event) && !telling.has(event.type))) return;
      write(line);
    },
    quote({ name, text, at }) {
      const lead = `${clockTime(at)}  " says       ${name}: `;
      const words = headline(text, columns - lead.length, '...');
      write(`${colors.dim(clockTime(at))}  " says       ${colors.cyan(name)}: ${words}`);
    },
    hold() {
      held = [];
      return () => {
        const lines = held ?? [];
        held = undefined;
        for (const line of lines) write(line);
      };
    },
  };
}
