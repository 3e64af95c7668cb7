/**
 * `branch.merge`: a task's branch into a branch of the store. Conflicts are a result, not a failure.
 *
 * Law: of a task that still runs, the newest commits are taken over first; an ended one's are in the store.
 */
import type { CommandOf } from '@makima/contracts/socket/commands';
import { attemptKey } from '../journal/state.ts';
import type { OperationWork } from './operation.ts';

export const branchMerge: OperationWork<CommandOf<'branch.merge'>> = async (context, command) => {
  const { taskId, attempt } = command;
  const phase = context.journal.state.attempts.get(attemptKey(taskId, attempt))?.phase;
  const record = phase === 'running' ? await context.records.read(taskId) : null;
  return context.workspace.merge(record?.attempt === attempt ? record : null, command);
};
