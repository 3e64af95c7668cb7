/** `makima tasks message`: words for an agent. */
import { tellDone } from '../act.ts';
import { taskId } from '../find.ts';
import type { Shell } from '../shell.ts';

export async function run(
  shell: Shell,
  [typed, words]: readonly [string, readonly string[]],
  options: { readonly mode: 'queue' | 'steer' | 'interrupt' },
): Promise<void> {
  const client = await shell.connect();
  const id = await taskId(client, typed);
  const sent = await client.call('messageTask', {
    params: { id },
    body: { message: words.join(' '), mode: options.mode },
  });
  tellDone(shell, sent, `message ${sent.messageId} is ${sent.state}`);
}
