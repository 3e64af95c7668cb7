// What the demo says: its own lines, the events of the contract as a story, and the agents' own words.
// Why: somebody who has never seen makima must be able to follow every line.
// Law: everything goes to standard error, so that the JSON line stands alone on standard output. While a
// person types an answer nothing is written over it: lines wait until the prompt is gone. Nothing is cut
// off on a terminal that breaks between words.
import { wantsColor } from '@makima/cli/io';
import { headline, oneLine } from '@makima/cli/plain';
import { isChatter, storyContext, storyLine } from '@makima/cli/story';
import { clockTime } from '@makima/cli/time';
import { wrap } from '@makima/cli/wrap';
import type { Event } from '@makima/contracts/entity/event';
import pc from 'picocolors';

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
  readonly kind: 'words' | 'error';
  /** Who says it. */
  readonly name: string;
  readonly text: string;
  /** ISO time. */
  readonly at: string;
}

export interface Screen {
  /** A person looks at it. */
  readonly watched: boolean;
  readonly colors: boolean;
  /** Lines of the demo itself. */
  say(text: string): void;
  /** A fact with its name. */
  fact(name: string, text: string): void;
  /** Text that stands as it is. */
  show(text: string): void;
  /** A row of names that grows on a terminal while it is waited for. */
  row(lead: string): Row;
  /** What is easily missed and must not be: between two rules, in colour. */
  shout(tone: 'bad' | 'good' | 'asks', lines: readonly string[]): void;
  /** The line of an event, if it has one here. */
  tell(event: Event): void;
  /** What an agent said. */
  quote(word: Word): void;
  /** From now on lines wait. Returns how to let them go. */
  hold(): () => void;
}

export interface Row {
  add(name: string): void;
  end(): void;
}

/** Where the words of the story begin, and where the text of a fact does. */
const storyIndent = 23;
const factIndent = 12;
/** A long text is told in so many lines at most. */
const mostLines = 4;

export function screenOf(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Screen {
  const hasColors = wantsColor(env, stream.isTTY);
  const colors = pc.createColors(hasColors);
  const columns = stream.isTTY ? Math.max(40, stream.columns || 80) : Number.POSITIVE_INFINITY;
  const longest = columns + (mostLines - 1) * (columns - storyIndent);
  const story = { colors, columns: longest, ellipsis: '...' };
  const context = storyContext(story, { showContract: false });
  const tones = { bad: colors.red, good: colors.green, asks: colors.yellow };
  let held: string[] | undefined;
  const write = (text: string): void => {
    if (held === undefined) stream.write(`${text}\n`);
    else held.push(text);
  };
  const paragraphs = (text: string, indent = 0): string =>
    text
      .split('\n')
      .map((line) => wrap(line, columns, indent))
      .join('\n');
  return {
    watched: stream.isTTY,
    colors: hasColors,
    say: (text) => write(paragraphs(text)),
    fact: (name, text) => write(paragraphs(name.padEnd(factIndent) + text, factIndent)),
    show: write,
    row: (lead) => rowOn(stream, lead),
    shout(tone, lines) {
      const rule = '-'.repeat(Math.min(78, columns));
      const body = lines.map((line) => wrap(`  ${line}`, columns, 2));
      write(tones[tone](colors.bold([rule, ...body, rule].join('\n'))));
    },
    tell(event) {
      const line = storyLine(event, context);
      if (quiet.has(event.type) || (isChatter(event) && !telling.has(event.type))) return;
      write(wrap(line, columns, storyIndent));
    },
    quote({ kind, name, text, at }) {
      const words = headline(oneLine(text), longest - storyIndent - name.length, '...');
      const sign = kind === 'words' ? '" says      ' : colors.red('x fails     ');
      const lead = `${colors.dim(clockTime(at))}  ${sign} ${colors.cyan(`${name}:`)}`;
      write(wrap(`${lead} ${words}`, columns, storyIndent));
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

/** On a terminal each name appears when it is there; elsewhere the row is written when it is whole. */
function rowOn(stream: NodeJS.WriteStream, lead: string): Row {
  let text = lead;
  let written = 0;
  const grow = (): void => {
    stream.write(text.slice(written));
    written = text.length;
  };
  return {
    add(name) {
      text += `${text === lead ? '' : ', '}${name}`;
      if (stream.isTTY) grow();
    },
    end() {
      if (text === lead) return;
      grow();
      stream.write('\n');
      text = lead;
      written = 0;
    },
  };
}
