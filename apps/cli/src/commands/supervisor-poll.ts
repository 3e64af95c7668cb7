/** `makima supervisor poll`: the answer to a question that was asked before. */
import { plain } from '../plain.ts';
import type { Shell } from '../shell.ts';
import { runVerb, type VerbOptions, word } from '../supervisor/verb.ts';

export async function run(
  shell: Shell,
  [questionId]: readonly [string],
  options: VerbOptions,
): Promise<number> {
  const call = { tool: 'makima_poll', input: { questionId }, timed: true } as const;
  return runVerb(shell, call, {
    ...options,
    tell: ({ response }) => plain(word(response, 'withdrawn')),
  });
}
