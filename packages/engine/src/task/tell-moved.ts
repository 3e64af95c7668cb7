/**
 * What an agent is told that goes on in its conversation on another machine: its directory did not come along.
 *
 * Why: the conversation says that files were written and commits made; they stand on a machine that may be gone
 * for good. An agent that believes its own words would end with nothing made.
 */
import { movedNotice, movedTo } from '@makima/domain/moved';
import type { TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { sendMessage } from '../message/send.ts';
import { travels, type Beginning } from './beginning.ts';

/** Before the command of its next attempt is built. */
export async function tellMoved(a: Act, task: TaskRow, beginning: Beginning): Promise<void> {
  if (task.sessionStartedAt === null || !beginning.moved) return;
  const { checkpoint, told } = beginning;
  const to = movedTo({
    hasRepository: task.repositoryUrl !== null || task.localPath !== null,
    checkpoint:
      checkpoint === undefined
        ? null
        : { number: checkpoint.checkpointNumber, travels: travels(checkpoint) },
    isPinned: task.checkpointSha !== null && told.checkpointSha === undefined,
    continues: task.continueFromTaskId !== null,
    startBranch: task.startBranch,
    inContract: task.contractId !== null,
    branchSha: told.contractHead?.commitSha ?? told.branchStartSha ?? null,
    begunSha: task.baseSha,
  });
  await sendMessage(a, {
    taskId: task.id,
    text: movedNotice(to),
    mode: 'steer',
    source: 'moved',
    sourceId: null,
  });
}
