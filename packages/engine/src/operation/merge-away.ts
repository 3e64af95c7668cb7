/**
 * A merge of work that was done on another machine than the contract's: its commits are sent to the control
 * plane first (`task.pack`), then the contract's machine merges them.
 *
 * Law: one operation for whoever waits: it is the merge; the sending is its first half, and what ends that half
 * badly ends the merge.
 */
import { channels } from '@makima/contracts/channels';
import type { CommandOf } from '@makima/contracts/socket/commands';
import type { OperationError, OperationResult } from '@makima/contracts/socket/reports';
import { dropPatchParts } from '@makima/db/repo/checkpoints';
import { appendCommand } from '@makima/db/repo/daemons';
import {
  failOperation,
  findOperation,
  insertOperation,
  sameOperation,
} from '@makima/db/repo/operations';
import type { OperationRow, TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { withHead } from '../contract/head.ts';
import { tellFinished } from './give-up.ts';
import { order, type Order } from './order.ts';

type Merge = CommandOf<'branch.merge'>;

/** Ordered from the task's machine; the command for the contract's waits in the sending's row. */
export async function orderMergeAway(
  a: Act,
  wanted: Pick<Order, 'task' | 'asked' | 'join' | 'requestedBy'> & {
    readonly holderId: string;
    readonly command: (operationId: string) => Merge;
  },
): Promise<OperationRow> {
  const { task, asked, holderId: daemonId } = wanted;
  const about = { ownerId: a.ownerId, taskId: task.id, attempt: task.currentAttempt, daemonId };
  const requestedBy = wanted.requestedBy ?? a.caller.name;
  if (wanted.join !== undefined) {
    const like = { ...about, kind: 'branch.merge', request: asked, requestedBy };
    const same = await sameOperation(a.tx, { ...like, stand: wanted.join });
    if (same !== undefined) return same;
  }
  const merge = await insertOperation(a.tx, {
    ...about,
    contractId: task.contractId,
    kind: 'branch.merge',
    request: asked,
    requestedBy,
  });
  tellRequested(a, task, merge);
  const command = wanted.command(merge.id);
  await order(a, {
    task,
    kind: 'task.pack',
    asked: { mergeOperationId: merge.id, merge: command },
    command: (operationId) => ({
      kind: 'task.pack',
      operationId,
      taskId: task.id,
      attempt: task.currentAttempt,
      repository: command.repository,
    }),
  });
  return merge;
}

function tellRequested(a: Act, task: TaskRow, merge: OperationRow): void {
  a.emit('operation.requested', {
    contractId: task.contractId,
    taskId: task.id,
    data: { operationId: merge.id, kind: merge.kind, name: task.name },
  });
}

/** The commits are here: the contract's machine may merge them. */
export async function packed(
  a: Act,
  sending: OperationRow,
  result: Extract<OperationResult, { kind: 'task.pack' }>,
): Promise<void> {
  const merge = await mergeOf(a, sending);
  if (merge === undefined || merge.state !== 'pending' || merge.daemonId === null)
    return dropPatchParts(a.tx, { ownerId: a.ownerId, operationId: sending.id });
  const { commitSha, packParts: parts } = result;
  const command = sending.request['merge'] as Merge;
  const pack = { operationId: sending.id, commitSha, parts };
  await appendCommand(a.tx, {
    ownerId: a.ownerId,
    daemonId: merge.daemonId,
    taskId: merge.taskId,
    attempt: merge.attempt,
    command: await withHead(a.tx, merge, { ...command, pack }),
  });
  a.hint(channels.daemonWake(merge.daemonId));
}

/** They will not come: neither will the merge, which is answered. */
export async function packFailed(
  a: Act,
  sending: OperationRow,
  error: OperationError,
): Promise<OperationRow | undefined> {
  await dropPatchParts(a.tx, { ownerId: a.ownerId, operationId: sending.id });
  const merge = await mergeOf(a, sending);
  if (merge === undefined) return undefined;
  const failed = await failOperation(a.tx, { ownerId: a.ownerId, id: merge.id, error });
  if (failed === undefined) return undefined;
  tellFinished(a, failed);
  return failed;
}

async function mergeOf(a: Act, sending: OperationRow): Promise<OperationRow | undefined> {
  const id = sending.request['mergeOperationId'];
  if (typeof id !== 'string') return undefined;
  return findOperation(a.tx, { ownerId: a.ownerId, id });
}
