/** `makima contracts cancel`: the end of a contract by a person; its agents' work is kept. */
import { cancelledReason } from '@makima/domain/contract';
import { changeStatus } from '../change-status.ts';
import { confirm, type Shell } from '../shell.ts';

interface Options {
  readonly reason?: string;
  readonly yes?: true;
}

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: Options,
): Promise<void> {
  await confirm(shell, `cancel contract ${typed} for good`, { yes: options.yes === true });
  const reason =
    options.reason === undefined ? cancelledReason : `${cancelledReason}: ${options.reason}`;
  await changeStatus(shell, { typed, to: 'failed', reason, done: 'cancelled' });
}
