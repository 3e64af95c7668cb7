/** `makima supervisor read-file`: a file in the directory of a task. */
import { exitCodes } from '../exit-code.ts';
import { plain } from '../plain.ts';
import type { Shell } from '../shell.ts';
import { callVerb, given, taskOf, tellAnswer, type VerbOptions, word } from '../supervisor/verb.ts';

interface ReadOptions extends VerbOptions {
  readonly from?: number;
  readonly lines?: number;
}

export async function run(
  shell: Shell,
  [task, filePath]: readonly [string, string],
  { from, lines }: ReadOptions,
): Promise<number> {
  const input = given({ taskId: await taskOf(shell, task), filePath, fromLine: from, lines });
  const answer = await callVerb(shell, { tool: 'makima_read_file', input }, {});
  const { exists, nextLine } = answer.value;
  if (exists === false && shell.format !== 'json') {
    shell.say(`there is no file ${filePath}`);
    return exitCodes.notFound;
  }
  const code = tellAnswer(shell, answer, ({ content }) => plain(word(content)));
  if (typeof nextLine === 'number') shell.say(`more: --from ${nextLine}`);
  return exists === false ? exitCodes.notFound : code;
}
