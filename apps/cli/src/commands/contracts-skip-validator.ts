/** `makima contracts skip-validator`: the phase is left without its validator, by this contract alone. */
import { tellDone } from '../act.ts';
import { contractId } from '../find.ts';
import { confirm, type Shell } from '../shell.ts';

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: { readonly yes?: true },
): Promise<void> {
  const client = await shell.connect();
  const id = await contractId(client, typed);
  const { phase, version } = await client.call('getContract', { params: { id } });
  await confirm(shell, `leave phase ${phase} of ${typed} without its validator`, {
    yes: options.yes === true,
  });
  const changed = await client.call('patchContract', {
    params: { id },
    // What the yes was to: a phase that was reached meanwhile keeps its validator.
    body: { skipValidator: true, expectedVersion: version },
  });
  tellDone(shell, changed, `phase ${phase} of ${typed} asks for no validator any more`);
}
