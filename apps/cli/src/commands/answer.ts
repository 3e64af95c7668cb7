/** `makima answer`: words, or the numbers of choices. */
import type { Question } from '@makima/contracts/entity/question';
import { tellDone } from '../act.ts';
import { findQuestion } from '../find.ts';
import { oneLine } from '../plain.ts';
import { usageError } from '../print-error.ts';
import type { Shell } from '../shell.ts';

export async function run(
  shell: Shell,
  [typed, words]: readonly [string, readonly string[]],
  options: { readonly text?: true },
): Promise<void> {
  const client = await shell.connect();
  const question = await findQuestion(client, typed);
  const response = options.text === true ? words.join(' ') : responseOf(question, words);
  const answered = await client.call('answerQuestion', {
    params: { id: question.id },
    body: { response },
  });
  const said = oneLine(answered.response ?? '');
  tellDone(shell, answered, `answered: ${said}`);
}

/**
 * A choice's own words are that choice; other numbers choose when the question has choices; anything else
 * is the answer's words.
 * @throws usage error for a number that no choice has, and for several where one is asked for.
 */
export function responseOf(question: Question, words: readonly string[]): string | string[] {
  const said = words.join(' ');
  if (question.choices.includes(said)) return said;
  const numbers = words.flatMap((word) => word.split(',')).filter((word) => word !== '');
  const allNumbers = numbers.length > 0 && numbers.every((word) => /^\d+$/.test(word));
  if (question.choices.length === 0 || !allNumbers) return said;
  const chosen = numbers.map((number) => {
    const choice = question.choices[Number(number) - 1];
    if (choice !== undefined) return choice;
    throw usageError(
      `there is no choice ${number}`,
      'give one of these numbers, or words; --text takes a number as words',
      question.choices.map((text, at) => `${at + 1}  ${text}`),
    );
  });
  if (chosen.length === 1) return chosen[0] ?? '';
  if (!question.multiSelect) {
    throw usageError('this question takes one choice', 'give one number, or words with --text');
  }
  return chosen;
}
