/**
 * A task is done: what was to become of its work is ordered, in the same transaction.
 *
 * Law: it happens with the leave that there is now, and never holds up the end of the task: what cannot be
 * ordered, or did not succeed, is told to the supervisor and leaves the work where it is.
 */
import { contractBranch, taskBranchBeside } from '@makima/domain/branch';
import { isMakimaError, MakimaError } from '@makima/domain/error';
import { slugify } from '@makima/domain/contract';
import { findContract } from '@makima/db/repo/contracts';
import { findTask } from '@makima/db/repo/tasks';
import type { ContractRow, OperationRow, TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { assertPossible, orderMerge, repositoryOf, standingLeave } from '../operation/merge.ts';
import { order } from '../operation/order.ts';
import { assertMayPush, orderPullRequest } from '../operation/pull-request.ts';
import {
  completionAction as requestedBy,
  failureOf,
  tellFailedAction,
  tellSupervisor,
} from './failed-action.ts';

export async function actOnCompletion(a: Act, task: TaskRow): Promise<void> {
  const { completionAction: action } = task;
  if (task.contractId === null || action === null || action === 'none') return;
  const contract = await findContract(a.tx, { ownerId: a.ownerId, id: task.contractId });
  if (contract === undefined) return;
  try {
    await begin(a, contract, task, action);
  } catch (error) {
    if (!isMakimaError(error)) throw error;
    await tellSupervisor(
      a,
      task,
      `${error.message}${error.fix === undefined ? '' : `. ${error.fix}`}`,
    );
  }
}

async function begin(a: Act, contract: ContractRow, task: TaskRow, action: string): Promise<void> {
  switch (action) {
    case 'branch':
      await handOver(a, task, { branch: branchOf(contract, task), from: 'task' });
      return;
    case 'merge':
      return merge(a, contract, task);
    case 'pr':
      assertMayPush(contract);
      if (!contract.allowPullRequests && !task.completionAllowed)
        throw notAllowed('a pull request');
      await orderPullRequest(a, task, {
        branch: branchOf(contract, task),
        from: 'task',
        title: task.name.slice(0, 256),
        body: task.outputSummary ?? '',
        requestedBy,
      });
      return;
    default:
      throw new MakimaError('COMMAND_FAILED', `"${action}" is no completion action`);
  }
}

async function merge(a: Act, contract: ContractRow, task: TaskRow): Promise<void> {
  const targetBranch = task.targetBranch ?? contractBranch(contract.slug);
  assertPossible(task, targetBranch);
  const leave = standingLeave(contract, await repositoryOf(a, task), targetBranch);
  if (leave.kind === 'none' && !task.completionAllowed)
    throw notAllowed(`the merge into ${targetBranch}`);
  await orderMerge(a, contract, task, {
    targetBranch,
    squash: false,
    defaultOnly: leave.kind === 'default_only' && !task.completionAllowed,
    join: 'unseen',
    requestedBy,
  });
}

async function handOver(
  a: Act,
  task: TaskRow,
  what: { readonly branch: string; readonly from: 'task' | 'branch' },
): Promise<void> {
  const { branch, from } = what;
  const toPath = task.targetRepoPath ?? task.localPath;
  await order(a, {
    task,
    kind: 'branch.hand_over',
    asked: { branch, toPath },
    requestedBy,
    join: 'unseen',
    command: (operationId) => ({
      kind: 'branch.hand_over',
      operationId,
      taskId: task.id,
      attempt: task.currentAttempt,
      repository: { url: task.repositoryUrl, path: task.localPath, baseBranch: task.baseBranch },
      branch,
      from,
      toPath,
    }),
  });
}

/** The name under which its work is handed to people. */
function branchOf(contract: ContractRow, task: TaskRow): string {
  const name = `${slugify(task.name, 'task')}-${task.id.slice(-6)}`;
  return task.targetBranch ?? taskBranchBeside(contract.slug, name, task.currentAttempt);
}

/** What a completion action came to. A merge for another repository is brought there next. */
export async function completionActed(a: Act, operation: OperationRow): Promise<void> {
  if (operation.requestedBy !== requestedBy || operation.taskId === null) return;
  const task = await findTask(a.tx, { ownerId: a.ownerId, id: operation.taskId });
  if (task === undefined) return;
  if (failureOf(operation) !== null) return tellFailedAction(a, operation);
  if (operation.kind !== 'branch.merge' || task.targetRepoPath === null) return;
  const branch = operation.request['targetBranch'];
  if (typeof branch === 'string' && branch.startsWith('makima/'))
    await handOver(a, task, { branch, from: 'branch' });
}

function notAllowed(what: string): MakimaError {
  return new MakimaError('FORBIDDEN', `${what} needs the owner's permission`);
}
