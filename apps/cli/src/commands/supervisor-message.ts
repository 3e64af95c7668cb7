/** `makima supervisor message`: words for the agent of a task. */
import type { Shell } from '../shell.ts';
import { runVerb, taskOf, wordsOf, type VerbOptions, word } from '../supervisor/verb.ts';

export async function run(
  shell: Shell,
  [typed, words]: readonly [string, readonly string[]],
  options: VerbOptions & { readonly mode: string },
): Promise<number> {
  const input = {
    taskId: await taskOf(shell, typed),
    text: await wordsOf(shell, words.join(' ')),
    mode: options.mode,
  };
  return runVerb(
    shell,
    { tool: 'makima_message', input },
    {
      ...options,
      tell: ({ messageId, state }) => `message ${word(messageId)} is ${word(state)}`,
    },
  );
}
