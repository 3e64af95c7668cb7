/** `makima supervisor tree`: who spawned whom. */
import { plain } from '../plain.ts';
import type { Shell } from '../shell.ts';
import { contractOf, runVerb, type VerbOptions, word } from '../supervisor/verb.ts';

export async function run(shell: Shell, _args: readonly [], options: VerbOptions): Promise<number> {
  const input = await contractOf(shell, options);
  return runVerb(shell, { tool: 'makima_tree', input }, { tell: ({ tree }) => plain(word(tree)) });
}
