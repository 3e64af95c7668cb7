/**
 * Merge a finished task's work into the contract's branch, a branch beside it, or a branch of the repository
 * that it came from.
 *
 * Law: an agent merges within its contract; beyond it only as far as the contract's owner allowed.
 */
import type { CommandOf } from '@makima/contracts/socket/commands';
import { belongsTo, contractBranch, isBranch } from '@makima/domain/branch';
import { plainPath } from '@makima/domain/evidence';
import { MakimaError } from '@makima/domain/error';
import { deliverablesOfContract } from '@makima/db/repo/deliverables';
import { mergeSeenSince } from '@makima/db/repo/operations';
import { tasksByIds } from '@makima/db/repo/tasks';
import { repositoriesOf } from '@makima/db/repo/contracts';
import type { ContractRow, RepositoryRow, TaskRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { lockedTask, readableTask, requireLead } from '../authorize.ts';
import { endMergesElsewhere } from './give-up.ts';
import { orderMergeAway } from './merge-away.ts';
import { machineOf, order, type Order } from './order.ts';
import { permitted, type Ordered } from './permit.ts';
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
): Promise<Acted<Ordered>> {
  return act(engine, call, async (a) => {
    const seen = await readableTask(a.tx, a.caller, input.id);
    const named = input.targetBranch ?? seen.targetBranch;
    // A person may have to be asked, and then the contract waits.
    const strength = named !== null && isOfSource(named) ? 'update' : 'share';
    const contract = await workingContract(a, seen.contractId, 'merged', strength);
    const supervisor = await requireLead(a, contract.id, 'merge tasks');
    const task = await lockedTask(a.tx, a.caller, input.id);
    // A supervisor brings in what it committed itself while it goes on working; its first calls may
    // come before the report that it has started.
    const ownWork = task.isSupervisor && (task.status === 'running' || task.status === 'starting');
    if (!ownWork) assertFinished(task);
    const targetBranch = named ?? contractBranch(contract.slug);
    assertPossible(task, targetBranch);
    // An agent may have written it into the task: what a person merges into their own branch, they name.
    if (supervisor === undefined && input.targetBranch === undefined && isOfSource(targetBranch))
      throw unnamed(targetBranch);
    const leave = await leaveFor(a, contract, task, { supervisor, targetBranch, ownWork });
    if (leave.kind === 'asked') return { operationId: null, questionId: leave.questionId };
    const operation = await orderMerge(a, contract, task, {
      targetBranch,
      squash: input.squash,
      defaultOnly: leave.kind === 'default_only',
      // What it commits between two calls must be in the second; a person's leave is for one.
      join: ownWork && leave.kind !== 'allowed' ? undefined : 'unseen',
    });
    return { operationId: operation.id, questionId: null };
  });
}

/** On the machine that has the contract's branch; from another one its commits are sent there first. */
export async function orderMerge(
  a: Act,
  contract: ContractRow,
  task: TaskRow,
  how: Pick<Order, 'join' | 'requestedBy'> & {
    readonly targetBranch: string;
    readonly squash: boolean;
    readonly defaultOnly: boolean;
  },
): Promise<{ readonly id: string }> {
  const { targetBranch, squash, defaultOnly } = how;
  const isOwn = targetBranch === contractBranch(contract.slug);
  const watch = isOwn ? await watched(a, contract) : [];
  const wanted = {
    task,
    asked: { targetBranch, squash },
    join: how.join,
    requestedBy: how.requestedBy,
    command: (operationId: string): CommandOf<'branch.merge'> => ({
      kind: 'branch.merge',
      operationId,
      taskId: task.id,
      attempt: task.currentAttempt,
      repository: { url: task.repositoryUrl, path: task.localPath, baseBranch: task.baseBranch },
      targetBranch,
      ...(defaultOnly ? { defaultOnly } : {}),
      squash,
      ...(watch.length === 0 ? {} : { watch }),
      // Nobody goes on elsewhere from a directory of this machine.
      ...(isOwn && task.localPath === null ? { carry: true as const } : {}),
      message: `Merge ${task.name}`,
    }),
  };
  const holderId = await holderOf(a, contract, task);
  if (isOwn) await endMergesElsewhere(a, contract, holderId);
  return holderId === task.homeDaemonId
    ? order(a, { ...wanted, kind: 'branch.merge' })
    : orderMergeAway(a, { ...wanted, holderId });
}

/** Files that show deliverables: whether the merge touches them decides whether those still hold. */
async function watched(a: Act, contract: ContractRow): Promise<string[]> {
  const about = { ownerId: a.ownerId, contractId: contract.id };
  const rows = await deliverablesOfContract(a.tx, about);
  const paths = rows.flatMap(({ evidence }) =>
    evidence.flatMap((item) => (item.kind === 'file' ? [plainPath(item.path)] : [])),
  );
  return [...new Set(paths)];
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

/** Whether it can be done at all, whoever asks. */
export function assertPossible(task: Pick<TaskRow, 'localPath'>, targetBranch: string): void {
  if (!isBranch(targetBranch)) throw wrongTarget('this is not a usable branch name');
  if (isOfSource(targetBranch) && task.localPath === null) {
    throw wrongTarget(
      `${targetBranch} is a branch of a remote repository: it changes by a pull request`,
    );
  }
}

/**
 * `default_only`: as long as it is the repository's default branch, which only the machine knows. `allowed`: by a
 * person, asked.
 */
export type Leave =
  | { readonly kind: 'given' | 'allowed' | 'default_only' | 'none' }
  | { readonly kind: 'asked'; readonly questionId: string };

/** What the contract's owner allowed beforehand: its own branches, and the base of its repository. */
export function standingLeave(
  contract: Pick<ContractRow, 'slug' | 'autoMergeLocal'>,
  repository: Pick<RepositoryRow, 'baseBranch'>,
  targetBranch: string,
): Leave {
  if (belongsTo(contract.slug, targetBranch)) return { kind: 'given' };
  if (!contract.autoMergeLocal || !isOfSource(targetBranch)) return { kind: 'none' };
  if (repository.baseBranch === null) return { kind: 'default_only' };
  return { kind: targetBranch === repository.baseBranch ? 'given' : 'none' };
}

/** The contract's repository that a task works on; where the task began is its spawner's word. */
export async function repositoryOf(
  a: Act,
  task: Pick<TaskRow, 'contractId' | 'repositoryUrl' | 'localPath'>,
): Promise<Pick<RepositoryRow, 'baseBranch'>> {
  const all =
    task.contractId === null
      ? []
      : await repositoriesOf(a.tx, { ownerId: a.ownerId, contractId: task.contractId });
  const own = all.find(
    (r) => r.repositoryUrl === task.repositoryUrl && r.localPath === task.localPath,
  );
  return own ?? { baseBranch: null };
}

/** @throws FORBIDDEN into another contract's branch, or when a person denied it. */
async function leaveFor(
  a: Act,
  contract: ContractRow,
  task: TaskRow,
  how: { supervisor: TaskRow | undefined; targetBranch: string; ownWork: boolean },
): Promise<Leave> {
  const { supervisor, targetBranch, ownWork } = how;
  if (supervisor === undefined) return { kind: 'given' };
  const standing = standingLeave(contract, await repositoryOf(a, task), targetBranch);
  if (standing.kind !== 'none') return standing;
  if (!isOfSource(targetBranch)) throw notYours(contract, targetBranch);
  const about = { ownerId: a.ownerId, taskId: task.id, targetBranch };
  const questionId = await permitted(a, contract, supervisor, {
    permit: { act: 'merge', taskId: task.id, targetBranch },
    question: `May the supervisor merge the work of "${task.name}" into ${targetBranch}?`,
    context: `Repository: ${task.localPath ?? ''}`,
    // Work that goes on is another after each merge; what is done stays as the person saw it.
    ...(ownWork ? { usedUp: (since) => mergeSeenSince(a.tx, { ...about, since }) } : {}),
  });
  return questionId === null ? { kind: 'allowed' } : { kind: 'asked', questionId };
}

function notYours(contract: ContractRow, targetBranch: string): MakimaError {
  return new MakimaError('FORBIDDEN', `${targetBranch} belongs to another contract`, {
    fix: 'merge into the contract’s branch',
    details: { contractBranch: contractBranch(contract.slug) },
  });
}

/** A branch of the repository that the work came from, not one of makima's. */
function isOfSource(branch: string): boolean {
  return !branch.startsWith('makima/');
}

function unnamed(targetBranch: string): MakimaError {
  const detail = `its task asks for ${targetBranch}, a branch of the repository itself`;
  return new MakimaError('VALIDATION_FAILED', 'the branch to merge into has to be named', {
    details: { errors: [{ pointer: '/targetBranch', detail }] },
    fix: `give targetBranch: ${targetBranch}, or the contract’s branch`,
  });
}

function wrongTarget(detail: string): MakimaError {
  return new MakimaError('VALIDATION_FAILED', detail, {
    details: { errors: [{ pointer: '/targetBranch', detail }] },
    fix: 'merge into the contract’s branch',
  });
}
