/** `makima supervisor advance`: to the next phase. */
import { exitCodes } from '../exit-code.ts';
import { oneLine } from '../plain.ts';
import type { Shell } from '../shell.ts';
import {
  callVerb,
  contractOf,
  tellAnswer,
  type Value,
  type VerbOptions,
  word,
} from '../supervisor/verb.ts';

export async function run(
  shell: Shell,
  [phase]: readonly [string],
  options: VerbOptions,
): Promise<number> {
  const input = { ...(await contractOf(shell, options)), phase };
  const answer = await callVerb(shell, { tool: 'makima_advance', input, timed: true }, options);
  const code = tellAnswer(shell, answer, told);
  const sentBack = !answer.isPending && answer.value['advanced'] !== true;
  return sentBack ? exitCodes.conflict : code;
}

function told({ advanced, phase, response }: Value): string {
  if (advanced === true) return `in ${word(phase)} now`;
  return oneLine(`sent back, still in ${word(phase)}: ${word(response)}`);
}
