/**
 * `branch.merge`: a task's branch into a branch of the store. Conflicts are a result, not a failure.
 *
 * Law: of work that is not collected, the newest commits are taken over first; an ended one's are in the store, or
 * come from the machine that has them. A contract's branch that moved is sent along: another machine may have to go
 * on from it when this one is gone.
 */
import { wireLimits } from '@makima/contracts/limits';
import type { CommandOf } from '@makima/contracts/socket/commands';
import type { Running } from '@makima/contracts/socket/frames';
import type { Report } from '@makima/contracts/socket/reports';
import type { DaemonContext } from '../context.ts';
import type { TaskRecord } from '../workspace/port.ts';
import { fetchPack } from './fetch-pack.ts';
import type { OperationWork } from './operation.ts';
import { tellParts } from './tell-parts.ts';

export const branchMerge: OperationWork<CommandOf<'branch.merge'>> = async (
  context,
  command,
  tell,
) => {
  const { pack } = command;
  const result = await context.workspace.merge(command, {
    living: await livingRecord(context, command),
    fetchPack: async () => (pack === undefined ? null : fetchPack(context, pack)),
  });
  const { moved, commitSha } = result;
  if (command.carry === true && moved !== undefined && commitSha !== null)
    await carry(context, command, commitSha, tell);
  return result;
};

/** Moves of a branch are told in the order in which they were made: one that is told before its former looks astray. */
export function mergeLine({ repository, targetBranch }: CommandOf<'branch.merge'>): string {
  return `${repository.path ?? repository.url} ${targetBranch}`;
}

/** The branch for other machines, before the result; one that is too large stays here alone. */
async function carry(
  { workspace, log }: DaemonContext,
  { operationId, repository }: CommandOf<'branch.merge'>,
  commitSha: string,
  tell: (report: Report) => Promise<void>,
): Promise<void> {
  const most = wireLimits.branchPackBytes;
  const pack = await workspace.packCommit(repository, commitSha, most).catch((error: unknown) => {
    log.warn({ err: error, operationId }, 'the branch stays on this machine alone');
    return null;
  });
  await tellParts(operationId, pack, tell);
}

/** The record of this very attempt while its agent lives, or what that left is not collected; else null. */
export async function livingRecord(
  context: DaemonContext,
  { taskId, attempt }: Running,
): Promise<TaskRecord | null> {
  const record = await context.records.read(taskId);
  return record?.attempt === attempt && !record.collected ? record : null;
}
