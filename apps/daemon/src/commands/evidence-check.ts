/** `evidence.check`: whether a file stands at a branch's head, or a command succeeds there. */
import type { CommandOf } from '@makima/contracts/socket/commands';
import type { OperationWork } from './operation.ts';

export const evidenceCheck: OperationWork<CommandOf<'evidence.check'>> = (context, command) =>
  context.workspace.check(command);
