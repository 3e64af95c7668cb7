/** `makima contracts resume`: go on after a pause or a block. */
import { changeStatus } from '../change-status.ts';
import type { Shell } from '../shell.ts';

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: { readonly reason?: string },
): Promise<void> {
  await changeStatus(shell, { typed, to: 'active', reason: options.reason, done: 'active again' });
}
