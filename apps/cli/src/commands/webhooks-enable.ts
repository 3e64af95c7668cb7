/** `makima webhooks enable`: it is told again, of what comes from now on. */
import { tellDone } from '../act.ts';
import { findWebhook } from '../find-webhook.ts';
import type { Shell } from '../shell.ts';

export async function run(shell: Shell, [typed]: readonly [string]): Promise<void> {
  const client = await shell.connect();
  const { id } = await findWebhook(client, typed);
  const hook = await client.call('patchWebhook', { params: { id }, body: { enabled: true } });
  tellDone(shell, hook, `${hook.name} is told from now on; ${hook.pending} deliveries wait for it`);
}
