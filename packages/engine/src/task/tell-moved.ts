/**
 * What an agent is told that goes on in its conversation on another machine: its directory did not come along.
 *
 * Why: the conversation says that files were written and commits made; they stand on a machine that may be gone
 * for good. An agent that believes its own words would end with nothing made.
 *
 * Law: one word, and a true one: what was meant for a machine where it never ran is void before it is read.
 */
import { movedNotice, movedTo } from '@makima/domain/moved';
import { refuseUnread } from '@makima/db/repo/messages';
import type { TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { tellRefused } from '../message/receipt.ts';
import { sendMessage } from '../message/send.ts';
import { travels, type Beginning } from './beginning.ts';

/** Before the command of its next attempt is built. */
export async function tellMoved(a: Act, task: TaskRow, beginning: Beginning): Promise<void> {
  const { checkpoint, lastRun, moved, told } = beginning;
  const tells = moved && task.sessionStartedAt !== null;
  // A new word replaces all before it, and a new conversation has none; else what was said before its last run is true yet.
  const isReplaced = tells || task.sessionStartedAt === null;
  const since = isReplaced ? null : (lastRun?.startedAt ?? null);
  if (task.currentAttempt > 0)
    for (const row of await refuseUnread(a.tx, {
      ownerId: a.ownerId,
      taskId: task.id,
      only: { source: 'moved', since },
    }))
      tellRefused(a, task, row);
  if (!tells) return;
  const to = movedTo({
    hasRepository: task.repositoryUrl !== null || task.localPath !== null,
    checkpoint:
      checkpoint === undefined
        ? null
        : { number: checkpoint.checkpointNumber, travels: travels(checkpoint) },
    isPinned: task.checkpointSha !== null && told.checkpointSha === undefined,
    continues: told.continueFromTaskId !== null,
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
