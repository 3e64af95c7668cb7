/**
 * Merge a finished task's work into the contract's branch, a branch beside it, or a branch of the repository
 * that it came from.
 *
 * Law: an agent merges within its contract; beyond it only as far as the contract's owner allowed.
 */
import type { CommandOf } from '@makima/contracts/socket/commands';
import { belongsTo, contractBranch, isBranch } from '@makima/domain/branch';
import { MakimaError } from '@makima/domain/error';
import { tasksByIds } from '@makima/db/repo/tasks';
import type { ContractRow, TaskRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { lockedTask, readableTask, requireLead } from '../authorize.ts';
import { orderMergeAway } from './merge-away.ts';
import { machineOf, order, type Order } from './order.ts';
import { workingContract } from './working-contract.ts';

export interface MergeInput {
  readonly id: string;
  readonly targetBranch?: string | undefined;
  readonly squash: boolean;
}

export function requestMerge(
  engine: Engine,
  call: Call,
  input: MergeInput,
): Promise<Acted<{ operationId: string }>> {
  return act(engine, call, async (a) => {
    const seen = await readableTask(a.tx, a.caller, input.id);
    const contract = await workingContract(a, seen.contractId, 'merged');
    await requireLead(a, contract.id, 'merge tasks');
    const task = await lockedTask(a.tx, a.caller, input.id);
    // A supervisor brings in what it committed itself while it goes on working; its first calls may
    // come before the report that it has started.
    const ownWork = task.isSupervisor && (task.status === 'running' || task.status === 'starting');
    if (!ownWork) assertFinished(task);
    const targetBranch = input.targetBranch ?? task.targetBranch ?? contractBranch(contract.slug);
    checkTarget(a, contract, task, targetBranch);
    const operation = await orderMerge(a, contract, task, {
      targetBranch,
      squash: input.squash,
      // What it commits between two calls must be in the second.
      join: ownWork ? undefined : 'unseen',
    });
    return { operationId: operation.id };
  });
}

/** On the machine that has the contract's branch; from another one its commits are sent there first. */
export async function orderMerge(
  a: Act,
  contract: ContractRow,
  task: TaskRow,
  how: { targetBranch: string; squash: boolean; join?: Order['join'] },
): Promise<{ readonly id: string }> {
  const { targetBranch, squash } = how;
  const defaultOnly =
    a.caller.kind !== 'person' && isOfSource(targetBranch) && task.baseBranch === null;
  const wanted = {
    task,
    asked: { targetBranch, squash },
    join: how.join,
    command: (operationId: string): CommandOf<'branch.merge'> => ({
      kind: 'branch.merge',
      operationId,
      taskId: task.id,
      attempt: task.currentAttempt,
      repository: { url: task.repositoryUrl, path: task.localPath, baseBranch: task.baseBranch },
      targetBranch,
      ...(defaultOnly ? { defaultOnly } : {}),
      squash,
      message: `Merge ${task.name}`,
    }),
  };
  const holderId = await holderOf(a, contract, task);
  return holderId === task.homeDaemonId
    ? order(a, { ...wanted, kind: 'branch.merge' })
    : orderMergeAway(a, { ...wanted, holderId });
}

/** The machine with the contract's branch: its supervisor's; the task's own while no supervisor has begun. */
async function holderOf(a: Act, contract: ContractRow, task: TaskRow): Promise<string> {
  const ids = contract.supervisorTaskId === null ? [] : [contract.supervisorTaskId];
  const [supervisor] = await tasksByIds(a.tx, { ownerId: a.ownerId, ids });
  return machineOf(a, supervisor?.homeDaemonId == null ? task : supervisor);
}

function assertFinished(task: TaskRow): void {
  if (task.status === 'done' || task.status === 'merged') return;
  throw new MakimaError(
    'INVALID_TRANSITION',
    `only a task that is done is merged; this one is ${task.status}`,
    { fix: 'wait for it first', details: { status: task.status } },
  );
}

/** Whether this caller may merge there, and whether it can be done at all. */
export function checkTarget(
  a: Act,
  contract: ContractRow,
  task: Pick<TaskRow, 'baseBranch' | 'localPath'>,
  targetBranch: string,
): void {
  if (!isBranch(targetBranch)) throw wrongTarget('this is not a usable branch name');
  if (a.caller.kind !== 'person' && !mayMergeInto(contract, task, targetBranch)) {
    throw new MakimaError(
      'FORBIDDEN',
      `merging into ${targetBranch} needs the owner's permission`,
      {
        fix: 'merge into the contract’s branch, or ask a person',
        details: { contractBranch: contractBranch(contract.slug) },
      },
    );
  }
  if (isOfSource(targetBranch) && task.localPath === null) {
    throw wrongTarget(
      `${targetBranch} is a branch of a remote repository: it changes by a pull request`,
    );
  }
}

/** Within the contract; with the owner's permission also into the branch that the work started from. */
export function mayMergeInto(
  contract: Pick<ContractRow, 'slug' | 'autoMergeLocal'>,
  task: Pick<TaskRow, 'baseBranch'>,
  targetBranch: string,
): boolean {
  if (belongsTo(contract.slug, targetBranch)) return true;
  // Where no base is named it is the default branch, which only the machine knows: see `defaultOnly`.
  return (
    contract.autoMergeLocal &&
    isOfSource(targetBranch) &&
    (task.baseBranch === null || targetBranch === task.baseBranch)
  );
}

/** A branch of the repository that the work came from, not one of makima's. */
function isOfSource(branch: string): boolean {
  return !branch.startsWith('makima/');
}

function wrongTarget(detail: string): MakimaError {
  return new MakimaError('VALIDATION_FAILED', detail, {
    details: { errors: [{ pointer: '/targetBranch', detail }] },
    fix: 'merge into the contract’s branch',
  });
}
