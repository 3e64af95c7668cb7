/** `makima supervisor complete`: the contract is complete, says who leads it. */
import { exitCodes } from '../exit-code.ts';
import { oneLine } from '../plain.ts';
import type { Shell } from '../shell.ts';
import { callVerb, contractOf, tellAnswer, word, type VerbOptions } from '../supervisor/verb.ts';

export async function run(shell: Shell, _args: readonly [], options: VerbOptions): Promise<number> {
  const input = await contractOf(shell, options);
  const call = { tool: 'makima_complete', input, timed: true } as const;
  const answer = await callVerb(shell, call, options);
  const code = tellAnswer(shell, answer, ({ completed, status, response }) =>
    completed === true ? `it is ${word(status)}` : oneLine(`sent back: ${word(response)}`),
  );
  const sentBack = !answer.isPending && answer.value['completed'] !== true;
  return sentBack ? exitCodes.conflict : code;
}
