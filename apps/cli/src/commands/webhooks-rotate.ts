/** `makima webhooks rotate`: the new secret on stdout, once. */
import { findWebhook } from '../find-webhook.ts';
import type { Shell } from '../shell.ts';
import { duration } from '../time.ts';

const defaultOverlapSeconds = 86_400;

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  { overlap: overlapSeconds = defaultOverlapSeconds }: { readonly overlap?: number },
): Promise<void> {
  const client = await shell.connect();
  const { id, name } = await findWebhook(client, typed);
  const made = await client.call('rotateWebhookSecret', {
    params: { id },
    body: { overlapSeconds },
  });
  if (shell.format === 'json') {
    shell.json(made);
    return;
  }
  shell.print(made.secret ?? '');
  shell.say(`The former secret of ${name} signs too for ${duration(overlapSeconds * 1_000)}.`);
}
