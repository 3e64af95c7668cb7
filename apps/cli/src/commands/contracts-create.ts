/** `makima contracts create`: a contract, started unless told to wait. */
import { tellDone } from '../act.ts';
import { contractUrl, createContract, type ContractOptions } from '../new-contract.ts';
import type { Shell } from '../shell.ts';

export async function run(
  shell: Shell,
  [goal]: readonly [string],
  options: ContractOptions & { readonly start: boolean },
): Promise<void> {
  const client = await shell.connect();
  const contract = await createContract(shell, client, { goal, options, start: options.start });
  if (shell.format === 'json') shell.json(contract);
  else {
    tellDone(shell, contract, contract.id);
    shell.print(contractUrl(client.baseUrl, contract.id));
    const next = options.start ? 'watch' : 'contracts start';
    shell.say(`${contract.slug}.  Next: makima ${next} ${contract.slug}`);
  }
}
