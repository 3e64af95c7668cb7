/** `makima orders dismiss`: no, with the reason. */
import { tellDone } from '../act.ts';
import { orderId } from '../find-directive.ts';
import type { Shell } from '../shell.ts';

export async function run(
  shell: Shell,
  [typed, words]: readonly [string, readonly string[]],
): Promise<void> {
  const client = await shell.connect();
  const id = await orderId(client, typed);
  const order = await client.call('dismissOrder', {
    params: { id },
    body: { reason: words.join(' ') },
  });
  tellDone(shell, order, `${order.title} is dismissed`);
}
