/** `makima run`: a goal becomes a contract that starts at once; with --watch its story follows. */
import { followContract } from '../follow-contract.ts';
import { contractUrl, createContract, type ContractOptions } from '../new-contract.ts';
import type { Shell } from '../shell.ts';
import { sayStandstill, standstillOf } from '../standstill.ts';

export async function run(
  shell: Shell,
  [goal]: readonly [string],
  options: ContractOptions & {
    readonly watch?: true;
    readonly verbose?: true;
    readonly timeout?: number;
  },
): Promise<number> {
  const client = await shell.connect();
  const contract = await createContract(shell, client, { goal, options, start: true });
  const url = contractUrl(client.baseUrl, contract.id);
  if (shell.format === 'json') shell.jsonLine({ ...contract, url });
  else shell.print(`${contract.id}\n${url}`);
  if (options.watch === true) {
    return followContract(shell, client, {
      id: contract.id,
      typed: contract.slug,
      onlyNew: false,
      verbose: options.verbose === true,
      timeoutSeconds: options.timeout,
    });
  }
  shell.say(`${contract.slug} has started. Follow it: makima watch ${contract.slug}`);
  // It has started, whether or not this can be asked.
  const why = await client
    .call('whyContract', { params: { id: contract.id } })
    .catch(() => undefined);
  const still = why === undefined ? undefined : standstillOf(why);
  if (still !== undefined) sayStandstill(shell, still);
  return 0;
}
