/** `makima contracts pause`: nothing more is started until it is resumed. */
import { changeStatus } from '../change-status.ts';
import type { Shell } from '../shell.ts';

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: { readonly reason?: string; readonly finishTurn?: number },
): Promise<void> {
  const { reason, finishTurn: finishTurnSeconds } = options;
  const done = finishTurnSeconds === undefined ? 'paused' : 'paused; agents end their turns';
  await changeStatus(shell, { typed, to: 'paused', reason, finishTurnSeconds, done });
}
