/** `makima contracts start`: the supervisor of a contract that was made with --no-start. */
import { tellDone } from '../act.ts';
import { contractId } from '../find.ts';
import type { Shell } from '../shell.ts';

export async function run(shell: Shell, [typed]: readonly [string]): Promise<void> {
  const client = await shell.connect();
  const id = await contractId(client, typed);
  const contract = await client.call('startContract', { params: { id } });
  tellDone(
    shell,
    contract,
    `${contract.slug} has started. Follow it: makima watch ${contract.slug}`,
  );
}
