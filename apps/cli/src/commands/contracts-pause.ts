/** `makima contracts pause`: nothing more is started until it is resumed. */
import { changeStatus } from '../change-status.ts';
import type { Shell } from '../shell.ts';

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: { readonly reason?: string },
): Promise<void> {
  await changeStatus(shell, { typed, to: 'paused', reason: options.reason, done: 'paused' });
}
