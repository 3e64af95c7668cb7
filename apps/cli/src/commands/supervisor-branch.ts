/** `makima supervisor branch`: a branch beside the contract's own. */
import { oneLine } from '../plain.ts';
import type { Shell } from '../shell.ts';
import { contractOf, given, runVerb, type VerbOptions, word } from '../supervisor/verb.ts';

export async function run(
  shell: Shell,
  [branchName]: readonly [string],
  options: VerbOptions & { readonly from?: string },
): Promise<number> {
  const input = {
    ...(await contractOf(shell, options)),
    ...given({ branchName, fromRef: options.from }),
  };
  return runVerb(
    shell,
    { tool: 'makima_branch', input },
    { ...options, tell: ({ message }) => oneLine(word(message)) },
  );
}
