/** `branch.create`: a branch of the store, from a ref or from where a task's work stands now. */
import type { CommandOf } from '@makima/contracts/socket/commands';
import { livingRecord } from './branch-merge.ts';
import type { OperationWork } from './operation.ts';

export const branchCreate: OperationWork<CommandOf<'branch.create'>> = async (context, command) => {
  const living = command.fromRef === null ? await livingRecord(context, command) : null;
  return context.workspace.branch(living, command);
};
