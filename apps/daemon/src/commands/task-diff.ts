/** `task.diff`: what a task changed against where its branch began, uncommitted work included. */
import type { CommandOf } from '@makima/contracts/socket/commands';
import type { OperationWork } from './operation.ts';
import { recordFor } from './record-for.ts';

export const taskDiff: OperationWork<CommandOf<'task.diff'>> = async (context, command) =>
  context.workspace.diff(await recordFor(context, command));
