// What --yes answers: the first choice, or leave to go on.
// Law: what was answered so often and is asked again is not helped by one more answer.
import type { Question } from '@makima/contracts/entity/question';

const mostRepeats = 3;

/** The answers of one run. Undefined: there is none any more. */
export function createYes(): (
  question: Pick<Question, 'question' | 'choices'>,
) => string | undefined {
  const times = new Map<string, number>();
  return ({ question, choices }) => {
    const before = times.get(question) ?? 0;
    if (before >= mostRepeats) return undefined;
    times.set(question, before + 1);
    return choices[0] ?? 'Do what you think is best.';
  };
}
