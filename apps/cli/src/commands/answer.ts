/** `makima answer`: words, or the numbers of choices; or only an end to the countdown of a default. */
import type { Question } from '@makima/contracts/entity/question';
import { permissionVerdict } from '@makima/domain/question';
import { tellDone } from '../act.ts';
import { findQuestion } from '../find.ts';
import { oneLine } from '../plain.ts';
import { usageError } from '../print-error.ts';
import type { Shell } from '../shell.ts';

export async function run(
  shell: Shell,
  [typed, words]: readonly [string, readonly string[]],
  options: { readonly text?: true; readonly stopCountdown?: true },
): Promise<void> {
  if (options.stopCountdown === true && words.length > 0)
    throw usageError('an answer ends the countdown too', 'leave out --stop-countdown');
  if (options.stopCountdown !== true && words.length === 0)
    throw usageError('the answer is missing', 'give your words, or the number of a choice');
  const client = await shell.connect();
  const question = await findQuestion(client, typed);
  if (options.stopCountdown === true) {
    const held = await client.call('holdDefault', { params: { id: question.id } });
    tellDone(shell, held, 'it waits for a person now');
    return;
  }
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
  if (question.questionType === 'permission') return permissionOf(question, words);
  const numbers = words.flatMap((word) => word.split(',')).filter((word) => word !== '');
  const allNumbers = numbers.length > 0 && numbers.every((word) => /^\d+$/.test(word));
  if (question.choices.length === 0 || !allNumbers) return said;
  const chosen = numbers.map((number) => {
    const choice = question.choices[Number(number) - 1];
    if (choice !== undefined) return choice;
    throw noSuchChoice(question, number);
  });
  if (chosen.length === 1) return chosen[0] ?? '';
  if (!question.multiSelect) {
    throw usageError('this question takes one choice', 'give one number, or words with --text');
  }
  return chosen;
}

/** The number of a choice may be followed by words, which are the reason of a refusal. */
function permissionOf(question: Question, words: readonly string[]): string {
  const [first = '', ...rest] = words;
  const choice = /^\d+$/.test(first) ? question.choices[Number(first) - 1] : first;
  if (choice === undefined) throw noSuchChoice(question, first);
  if (rest.length > 0 && permissionVerdict(choice).allow)
    throw usageError('permission is given without words', 'deny it, and say what to do instead');
  return rest.length === 0
    ? choice
    : `${choice}${/^\d+$/.test(first) ? ':' : ''} ${rest.join(' ')}`;
}

function noSuchChoice(question: Question, number: string): Error {
  return usageError(
    `there is no choice ${number}`,
    'give one of these numbers, or words; --text takes a number as words',
    question.choices.map((text, at) => `${at + 1}  ${text}`),
  );
}
