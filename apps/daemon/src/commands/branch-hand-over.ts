/** `branch.hand_over`: a task's work, or a branch of the store, for people. */
import type { CommandOf } from '@makima/contracts/socket/commands';
import { livingRecord } from './branch-merge.ts';
import type { OperationWork } from './operation.ts';

export const branchHandOver: OperationWork<CommandOf<'branch.hand_over'>> = async (
  context,
  command,
) => {
  const living = command.from === 'task' ? await livingRecord(context, command) : null;
  return context.workspace.handOver(living, command);
};
