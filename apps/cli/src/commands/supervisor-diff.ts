/** `makima supervisor diff`: what a task changed. */
import { plain } from '../plain.ts';
import type { Shell } from '../shell.ts';
import { callVerb, taskOf, tellAnswer, type VerbOptions, word } from '../supervisor/verb.ts';

export async function run(
  shell: Shell,
  [task]: readonly [string],
  options: VerbOptions,
): Promise<number> {
  const input = { taskId: await taskOf(shell, task) };
  const answer = await callVerb(shell, { tool: 'makima_diff', input }, options);
  const code = tellAnswer(shell, answer, ({ diff }) => plain(word(diff)).trimEnd() || 'no change');
  if (answer.value['cut'] === true)
    shell.say('the rest is cut off: makima supervisor read-file shows whole files');
  return code;
}
