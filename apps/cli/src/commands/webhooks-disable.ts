/** `makima webhooks disable`: it is told nothing until it is enabled again. */
import { tellDone } from '../act.ts';
import { findWebhook } from '../find-webhook.ts';
import type { Shell } from '../shell.ts';

export async function run(shell: Shell, [typed]: readonly [string]): Promise<void> {
  const client = await shell.connect();
  const { id } = await findWebhook(client, typed);
  const hook = await client.call('patchWebhook', { params: { id }, body: { enabled: false } });
  tellDone(shell, hook, `${hook.name} is told nothing any more`);
}
