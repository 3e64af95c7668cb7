/** `makima webhooks delete`: gone, with its log. */
import { tellDone } from '../act.ts';
import { findWebhook } from '../find-webhook.ts';
import { confirm, type Shell } from '../shell.ts';

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: { readonly yes?: true },
): Promise<void> {
  await confirm(shell, `delete webhook ${typed} with its log`, { yes: options.yes === true });
  const client = await shell.connect();
  const { id, name } = await findWebhook(client, typed);
  const gone = await client.call('deleteWebhook', { params: { id } });
  tellDone(shell, gone, `webhook ${name} is deleted`);
}
