/** The result of long git work: kept once, whenever it comes, with what follows from it. */
import { deliveryWords } from '@makima/domain/delivery';
import { channels } from '@makima/contracts/channels';
import type { OperationResult, ReportOf } from '@makima/contracts/socket/reports';
import { insertCheckpoint, insertPatchPart } from '@makima/db/repo/checkpoints';
import { findContract, touchContract } from '@makima/db/repo/contracts';
import { branchWork, finishOperation } from '@makima/db/repo/operations';
import { conversationShape } from '@makima/db/repo/talk';
import { changeTask, findTask, lockTask } from '@makima/db/repo/tasks';
import { findOperation } from '@makima/db/repo/operations';
import type { OperationRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { isValidation } from '../contract/validator.ts';
import type { DaemonPrincipal } from '../principal.ts';
import { dropPacks, dropSent } from './give-up.ts';
import { packed, packFailed } from './merge-away.ts';
import { moveOf, strayed } from './move.ts';
import { wordsOf } from './words.ts';
import { completionActed } from '../task/completion-action.ts';
import { nameKept } from '../task/name-kept.ts';
import { afterTaskEnd } from '../task/complete.ts';

export async function operationFinished(
  a: Act,
  daemon: DaemonPrincipal,
  told: ReportOf<'operation.finished'>,
): Promise<void> {
  const move = await moveOf(a, told);
  const report = move === 'astray' ? strayed(told) : told;
  const row = await finishOperation(a.tx, {
    ownerId: a.ownerId,
    id: report.operationId,
    daemonId: daemon.daemonId,
    state: report.ok ? 'done' : 'failed',
    result: withoutMove(report.result),
    error: report.error,
  });
  if (row === undefined) return;
  a.emit('operation.finished', {
    contractId: row.contractId,
    taskId: row.taskId,
    data: {
      operationId: row.id,
      kind: row.kind,
      ok: report.ok,
      error: wordsOf(report.error),
      summary: summaryOf(row, report.result),
    },
  });
  a.hint(channels.operationDone(row.id));
  if (typeof move === 'object') await move.take();
  if (report.ok && report.result !== null) await follow(a, daemon, row, report.result);
  else if (row.kind === 'task.pack') {
    const merge = await packFailed(a, row, report.error ?? noReason);
    if (merge !== undefined) await completionActed(a, merge);
  }
  if (row.kind === 'branch.merge') await (typeof move === 'object' ? dropSent : dropPacks)(a, row);
  await completionActed(a, row);
  if (row.contractId !== null && isValidation(row)) {
    const { contractId } = row;
    a.mail('evaluate-contract', { contractId }, { entityId: contractId, fence: row.id });
  }
  if (row.contractId !== null && (await endWaits(a, row))) {
    a.mail(
      'clean-contract',
      { contractId: row.contractId },
      { entityId: row.contractId, fence: row.id },
    );
  }
}

/** Which files a merge touched is kept with the move, not with the result. */
function withoutMove(result: OperationResult | null): OperationResult | null {
  if (result?.kind !== 'branch.merge') return result;
  const { moved: _, ...rest } = result;
  return rest;
}

/** Whether the clean-up of its contract waited for this. */
async function endWaits(a: Act, row: OperationRow): Promise<boolean> {
  if (row.kind === 'workdir.clean' || row.kind === 'branch.deliver') return true;
  if (row.contractId === null || !(branchWork as readonly string[]).includes(row.kind))
    return false;
  const contract = await findContract(a.tx, { ownerId: a.ownerId, id: row.contractId });
  return contract?.status === 'completing';
}

const noReason = { code: 'COMMAND_FAILED', message: 'the machine gave no reason' };

/** A part of a checkpoint's patch or of a task's commits: only for an operation of this daemon that goes on. */
export async function patchStored(
  a: Act,
  daemon: DaemonPrincipal,
  report: ReportOf<'patch.stored'>,
): Promise<void> {
  const row = await findOperation(a.tx, { ownerId: a.ownerId, id: report.operationId });
  if (row?.state !== 'pending' || row.daemonId !== daemon.daemonId) return;
  await insertPatchPart(a.tx, {
    ownerId: a.ownerId,
    operationId: row.id,
    part: report.part,
    data: Buffer.from(report.data, 'base64'),
  });
}

async function follow(
  a: Act,
  daemon: DaemonPrincipal,
  row: OperationRow,
  result: OperationResult,
): Promise<void> {
  switch (result.kind) {
    case 'task.checkpoint':
      return checkpointMade(a, row, result);
    case 'branch.merge':
      return merged(a, row, result);
    case 'pr.open':
      return proposed(a, row, result);
    case 'task.pack':
      return packed(a, row, result);
    case 'workdir.clean':
      return kept(a, daemon, row, result);
    case 'task.diff':
    case 'branch.create':
    case 'branch.hand_over':
    case 'branch.deliver':
    case 'evidence.check':
      return;
  }
}

async function checkpointMade(
  a: Act,
  row: OperationRow,
  result: Extract<OperationResult, { kind: 'task.checkpoint' }>,
): Promise<void> {
  if (row.taskId === null) return;
  const number = Number(row.request['number']);
  const conversation = await conversationShape(a.tx, { taskId: row.taskId });
  const made = await insertCheckpoint(a.tx, {
    ownerId: a.ownerId,
    taskId: row.taskId,
    attempt: row.attempt ?? 0,
    checkpointNumber: number,
    operationId: row.id,
    commitSha: result.commitSha,
    baseSha: result.baseSha,
    branchName: result.branchName,
    message: typeof row.request['message'] === 'string' ? row.request['message'] : '',
    filesChanged: result.filesChanged,
    linesAdded: result.linesAdded,
    linesRemoved: result.linesRemoved,
    messageSeq: conversation.lastSeq,
    patchParts: result.patchParts,
  });
  if (made === undefined) return;
  a.emit('checkpoint.created', {
    contractId: row.contractId,
    taskId: row.taskId,
    data: {
      checkpointNumber: number,
      commitSha: result.commitSha,
      filesChanged: result.filesChanged,
    },
  });
}

/** done → merged, once; a conflict leaves the task as it is and says so in the result. */
async function merged(
  a: Act,
  row: OperationRow,
  result: Extract<OperationResult, { kind: 'branch.merge' }>,
): Promise<void> {
  if (row.taskId === null || !result.success) return;
  const task = await lockTask(a.tx, { ownerId: a.ownerId, id: row.taskId });
  if (task === undefined) return;
  const changed = await changeTask(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    attempt: task.currentAttempt,
    from: ['done'],
    set: { status: 'merged' },
  });
  if (changed === undefined) return;
  a.emit('task.merged', {
    contractId: row.contractId,
    taskId: task.id,
    data: {
      name: task.name,
      commitSha: result.commitSha,
      targetBranch: row.request['targetBranch'],
    },
  });
  if (row.contractId !== null)
    await touchContract(a.tx, { contractId: row.contractId, progress: 'yes' });
  await afterTaskEnd(a, changed);
}

/** Told once, however often it was asked for. */
function proposed(
  a: Act,
  row: OperationRow,
  result: Extract<OperationResult, { kind: 'pr.open' }>,
): void {
  if (!result.created) return;
  const { prUrl, prNumber, branch, baseBranch, commitSha } = result;
  a.emit('pr.opened', {
    contractId: row.contractId,
    taskId: row.taskId,
    data: { prUrl, prNumber, branch, baseBranch, commitSha, title: row.request['title'] },
  });
}

async function kept(
  a: Act,
  daemon: DaemonPrincipal,
  row: OperationRow,
  result: Extract<OperationResult, { kind: 'workdir.clean' }>,
): Promise<void> {
  if (row.taskId === null) return;
  const task = await findTask(a.tx, { ownerId: a.ownerId, id: row.taskId });
  // What another machine merged is not in this one's branch.
  const why = task?.status === 'merged' ? 'merged on another machine' : 'unmerged at clean-up';
  const { contractId, taskId } = row;
  const { daemonId } = daemon;
  // Its end may have named it.
  for (const ref of result.keptRefs) await nameKept(a, { contractId, taskId, daemonId, ref, why });
}

function summaryOf(row: OperationRow, result: OperationResult | null): string | null {
  if (result?.kind === 'branch.deliver')
    return deliveryWords(result, row.request['fastForwardBase'] === true ? 'merge' : 'branch');
  if (result?.kind === 'pr.open') return `#${result.prNumber} ${result.prUrl}`;
  if (result?.kind === 'branch.create')
    return `${result.branch} at ${result.commitSha.slice(0, 10)}`;
  if (result?.kind !== 'branch.merge') return null;
  return result.success
    ? `merged as ${result.commitSha?.slice(0, 10) ?? 'nothing'}`
    : `${result.conflicts.length} conflicts`;
}
