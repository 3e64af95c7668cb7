/**
 * `branch.merge`: a task's branch into a branch of the store. Conflicts are a result, not a failure.
 *
 * Law: of work that is not collected, the newest commits are taken over first; an ended one's are in the store, or
 * come from the machine that has them.
 */
import type { CommandOf } from '@makima/contracts/socket/commands';
import type { Running } from '@makima/contracts/socket/frames';
import type { DaemonContext } from '../context.ts';
import type { TaskRecord } from '../workspace/port.ts';
import type { OperationWork } from './operation.ts';

export const branchMerge: OperationWork<CommandOf<'branch.merge'>> = async (context, command) =>
  context.workspace.merge(command, {
    living: await livingRecord(context, command),
    fetchPack: () => fetchPack(context, command),
  });

/** The record of this very attempt while its agent lives, or what that left is not collected; else null. */
export async function livingRecord(
  context: DaemonContext,
  { taskId, attempt }: Running,
): Promise<TaskRecord | null> {
  const record = await context.records.read(taskId);
  return record?.attempt === attempt && !record.collected ? record : null;
}

async function fetchPack(
  context: DaemonContext,
  { pack }: CommandOf<'branch.merge'>,
): Promise<Buffer | null> {
  if (pack === undefined || pack.parts === 0) return null;
  const parts: Buffer[] = [];
  for (let part = 0; part < pack.parts; part++) {
    const { data } = await context.ask({ kind: 'pack', operationId: pack.operationId, part });
    parts.push(Buffer.from(data, 'base64'));
  }
  return Buffer.concat(parts);
}
