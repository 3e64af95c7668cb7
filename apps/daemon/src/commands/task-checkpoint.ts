/**
 * `task.checkpoint`: a commit of everything in the directory, and its patch in parts before the result.
 *
 * Law: the parts are on the disk before the result that counts them.
 */
import type { CommandOf } from '@makima/contracts/socket/commands';
import type { OperationWork } from './operation.ts';
import { recordFor } from './record-for.ts';
import { tellParts } from './tell-parts.ts';

export const taskCheckpoint: OperationWork<CommandOf<'task.checkpoint'>> = async (
  context,
  command,
  tell,
) => {
  const record = await recordFor(context, command);
  const { result, patch } = await context.workspace.checkpoint(record, command);
  return { ...result, patchParts: await tellParts(command.operationId, patch, tell) };
};
