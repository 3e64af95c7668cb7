/** `branch.hand_over`: a task's work, or a branch of the store, for people. */
import type { CommandOf } from '@makima/contracts/socket/commands';
import type { OperationWork } from './operation.ts';

export const branchHandOver: OperationWork<CommandOf<'branch.hand_over'>> = (context, command) =>
  context.workspace.handOver(command);
