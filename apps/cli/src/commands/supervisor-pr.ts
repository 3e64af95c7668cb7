/** `makima supervisor pr`: a branch pushed, and a pull request for it. */
import { exitCodes } from '../exit-code.ts';
import { oneLine } from '../plain.ts';
import { usageError } from '../print-error.ts';
import type { Shell } from '../shell.ts';
import {
  callVerb,
  contractOf,
  given,
  tellAnswer,
  type VerbOptions,
  word,
  wordsOf,
} from '../supervisor/verb.ts';

interface PullRequestOptions extends VerbOptions {
  readonly title?: string;
  readonly body?: string;
}

export async function run(
  shell: Shell,
  [branch]: readonly [string],
  options: PullRequestOptions,
): Promise<number> {
  const { title, body } = options;
  if (title === undefined) throw usageError('a pull request needs a title', 'add --title <title>');
  const input = {
    ...(await contractOf(shell, options)),
    ...given({
      branch,
      title,
      body: body === undefined ? undefined : await wordsOf(shell, body),
    }),
  };
  const answer = await callVerb(shell, { tool: 'makima_pr', input }, options);
  const code = tellAnswer(shell, answer, ({ message, prUrl }) =>
    oneLine(`${word(message)}${typeof prUrl === 'string' ? `: ${prUrl}` : ''}`),
  );
  const denied = !answer.isPending && answer.value['success'] !== true;
  return denied ? exitCodes.forbidden : code;
}
