/**
 * `task.checkpoint`: a commit of everything in the directory, and its patch in parts before the result.
 *
 * Law: the parts are on the disk before the result that counts them.
 */
import { wireLimits } from '@makima/contracts/limits';
import { recordFor } from './record-for.ts';
import type { OperationWork } from './operation.ts';
import type { CommandOf } from '@makima/contracts/socket/commands';

/** Bytes whose base64 fills a part. */
const partBytes = Math.floor(wireLimits.chunkBytes / 4) * 3;

export const taskCheckpoint: OperationWork<CommandOf<'task.checkpoint'>> = async (
  context,
  command,
  tell,
) => {
  const record = await recordFor(context, command);
  const { result, patch } = await context.workspace.checkpoint(record, command);
  const parts = patch === null ? 0 : Math.ceil(patch.length / partBytes);
  for (let part = 0; part < parts; part++) {
    const bytes = patch?.subarray(part * partBytes, (part + 1) * partBytes) ?? new Uint8Array();
    const data = Buffer.from(bytes).toString('base64');
    await tell({ kind: 'patch.stored', operationId: command.operationId, part, data });
  }
  return { ...result, patchParts: parts };
};
