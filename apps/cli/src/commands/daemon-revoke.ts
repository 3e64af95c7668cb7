/** `makima daemon revoke`: a machine is taken out. */
import { tellDone } from '../act.ts';
import { daemonId } from '../find-daemon.ts';
import { confirm, type Shell } from '../shell.ts';

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: { readonly yes?: true },
): Promise<void> {
  await confirm(shell, `revoke machine ${typed}`, { yes: options.yes === true });
  const client = await shell.connect();
  const id = await daemonId(client, typed);
  const revoked = await client.call('revokeDaemon', { params: { id } });
  tellDone(shell, revoked, `machine ${typed} is revoked: its key is worthless now`);
}
