/** `branch.deliver`: the contract's branch into the local repository that it came from. */
import type { CommandOf } from '@makima/contracts/socket/commands';
import type { OperationWork } from './operation.ts';

export const branchDeliver: OperationWork<CommandOf<'branch.deliver'>> = (context, command) =>
  context.workspace.deliver(command);
