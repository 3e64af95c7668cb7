/**
 * `workdir.clean`: the work is over: what is unmerged is kept on a ref, then the directory goes. Merged is what the
 * control plane says to be.
 *
 * Law: never under a living agent; a task that has no directory here is clean.
 */
import { MakimaError } from '@makima/domain/error';
import type { CommandOf } from '@makima/contracts/socket/commands';
import type { OperationWork } from './operation.ts';

export const workdirClean: OperationWork<CommandOf<'workdir.clean'>> = async (context, command) => {
  const record = await context.records.read(command.taskId);
  if (record === null) return { kind: 'workdir.clean', keptRefs: [] };
  for (const attempt of context.journal.state.attempts.values()) {
    if (attempt.taskId === command.taskId && attempt.phase !== 'ended') {
      throw new MakimaError('CONFLICT', 'An agent still works in this directory.', {
        details: { taskId: command.taskId, attempt: attempt.attempt },
      });
    }
  }
  // The record stays: diffs and merges of the branch need no directory.
  return context.workspace.clean({ ...record, attempt: command.attempt }, command.contractHead);
};
