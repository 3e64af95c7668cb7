/**
 * The words that tell a fresh conversation what was said and done in the one that it replaces.
 *
 * Law: bounded; the task (the first message) and the newest lines are kept, what is left out between them is
 * said to be.
 */
import type { RecordLine } from './acp-record.ts';

const shownChars = 60_000;
const outputChars = 2_000;

/** Null when nothing was said yet. */
export function seedOf(story: readonly RecordLine[]): string | null {
  const told = story.map(wordsOf).filter((words) => words !== null);
  const [first, ...rest] = told;
  if (first === undefined) return null;
  const kept: string[] = [];
  let chars = first.length;
  for (const words of rest.toReversed()) {
    chars += words.length;
    if (chars > shownChars) break;
    kept.unshift(words);
  }
  const left = rest.length - kept.length;
  return [
    '[The agent process was replaced. What follows is the record of this conversation so far; you are its agent. Take what stands there as done, check what of the last step took effect, and do not do finished work again.]',
    first.slice(0, shownChars),
    ...(left === 0 ? [] : [`[${left} entries are left out here.]`]),
    ...kept,
    '[End of the record. Now:]',
  ].join('\n\n');
}

function wordsOf(line: RecordLine): string | null {
  switch (line.t) {
    case 'user':
      return `User: ${line.text}`;
    case 'agent':
      return `You: ${line.text}`;
    case 'call':
      return `You called a tool: ${line.title}${inputWords(line.input)}`;
    case 'result':
      return `It ${line.ok ? 'returned' : 'failed'}: ${short(line.output)}`;
    case 'opened':
    case 'over':
      return null;
  }
}

function inputWords(input: unknown): string {
  const text = input === null || input === undefined ? '{}' : JSON.stringify(input);
  return text === '{}' ? '' : ` ${short(text)}`;
}

function short(text: string): string {
  return text.length <= outputChars ? text : `${text.slice(0, outputChars)}…`;
}
