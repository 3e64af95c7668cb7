/**
 * `task.pack`: a task's commits for another machine, in parts before the result.
 *
 * Law: the parts are on the disk before the result that counts them.
 */
import { wireLimits } from '@makima/contracts/limits';
import type { CommandOf } from '@makima/contracts/socket/commands';
import { livingRecord } from './branch-merge.ts';
import type { OperationWork } from './operation.ts';
import { tellParts } from './tell-parts.ts';

export const taskPack: OperationWork<CommandOf<'task.pack'>> = async (context, command, tell) => {
  const living = await livingRecord(context, command);
  const { commitSha, pack } = await context.workspace.pack(living, command, wireLimits.packBytes);
  const packParts = await tellParts(command.operationId, pack, tell);
  return { kind: 'task.pack', commitSha, packParts, bytes: pack?.length ?? 0 };
};
