/** `makima watch`: the story of a contract until it ends. */
import { contractId } from '../find.ts';
import { followContract } from '../follow-contract.ts';
import type { Shell } from '../shell.ts';

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: { readonly new?: true; readonly verbose?: true; readonly timeout?: number },
): Promise<number> {
  const client = await shell.connect();
  const id = await contractId(client, typed);
  return followContract(shell, client, {
    id,
    typed,
    onlyNew: options.new === true,
    verbose: options.verbose === true,
    timeoutSeconds: options.timeout,
  });
}
