/**
 * Clean up a contract that is over (job `clean-contract`): agents stopped, unmerged work kept on named refs,
 * the contract's branch delivered, working directories removed; a completing contract is then `completed`, or
 * `blocked` with the reason when that did not succeed.
 *
 * Law: works in steps that are seen in the rows and may be repeated: stop → keep and deliver → end. What is
 * still under way is looked at again when its report comes, or by the job's next ticket; where nothing is, the
 * next step is taken in the same transaction.
 */
import { channels } from '@makima/contracts/channels';
import type { Command } from '@makima/contracts/socket/commands';
import { contractBranch } from '@makima/domain/branch';
import { isTaskFinal } from '@makima/domain/task';
import { lockContract, repositoriesOf } from '@makima/db/repo/contracts';
import { liveAttemptsOfContract } from '@makima/db/repo/attempts';
import { dropCarried } from '@makima/db/repo/branch-moves';
import { completionConfirmed } from '@makima/db/repo/confirmations';
import { appendCommand, daemonsOf } from '@makima/db/repo/daemons';
import { insertOperation, openBranchWork, operationsOf } from '@makima/db/repo/operations';
import type { ContractRow, OperationRow, TaskRow } from '@makima/db/rows';
import { wordsOf } from '../operation/words.ts';
import { act, type Act, type Acted, type Engine } from '../context.ts';
import type { System } from '../principal.ts';
import { stopTask } from '../task/cancel.ts';
import { cleanupTriesMax, standOf, type Stand } from './clean-stand.ts';
import { failContract } from './fail.ts';
import { headOf, withHead } from './head.ts';
import { completeContract } from './finish.ts';
import { moveContract } from './move.ts';
import { lockedTasks } from './pause.ts';

export type Cleaning = 'nothing' | 'not_yet' | 'stopping' | 'keeping' | 'blocked' | 'done';

export function cleanContract(
  engine: Engine,
  caller: System,
  input: { contractId: string },
): Promise<Acted<Cleaning>> {
  return act(engine, { caller }, async (a) => {
    const contract = await lockContract(a.tx, {
      ownerId: a.ownerId,
      id: input.contractId,
      strength: 'update',
    });
    if (
      contract === undefined ||
      !(
        contract.status === 'completing' ||
        contract.status === 'failed' ||
        contract.status === 'archived'
      )
    )
      return 'nothing';
    if (contract.status === 'completing' && (await graceLeft(a, contract))) return 'not_yet';
    const tasks = await lockedTasks(a, contract);
    const open = tasks.filter((task) => !isTaskFinal(task.status));
    for (const task of open) await endTask(a, contract, task);
    // Nobody reports the end of an agent that does not run (parked, paused, never placed): it goes on at once.
    if ((await liveAttemptsOfContract(a.tx, { contractId: contract.id })) > 0) return 'stopping';
    // A merge under way belongs into what is delivered.
    const about = { ownerId: a.ownerId, contractId: contract.id };
    if (contract.status === 'completing' && (await openBranchWork(a.tx, about)) > 0)
      return 'keeping';
    return keep(a, contract, tasks);
  });
}

/** The grace since completion was detected; a person's confirmation of this very version needs none. */
async function graceLeft(a: Act, contract: ContractRow): Promise<boolean> {
  const since = contract.completionDetectedAt?.getTime() ?? 0;
  if (a.now.getTime() >= since + a.engine.settings.completionGraceMs) return false;
  return !(await completionConfirmed(a.tx, { contractId: contract.id, version: contract.version }));
}

/** Supervisors of a completing contract are done; everything else that is open is cancelled. */
async function endTask(a: Act, contract: ContractRow, task: TaskRow): Promise<void> {
  const completed = contract.status === 'completing' && task.isSupervisor;
  await stopTask(a, task, {
    status: completed ? 'done' : 'cancelled',
    reason: completed ? 'completed' : 'cancelled',
    words: `the contract is ${contract.status}`,
  });
}

async function keep(a: Act, contract: ContractRow, tasks: readonly TaskRow[]): Promise<Cleaning> {
  const [cleans, delivers, daemons] = await Promise.all([
    operationsOf(a.tx, { contractId: contract.id, kind: 'workdir.clean' }),
    operationsOf(a.tx, { contractId: contract.id, kind: 'branch.deliver' }),
    daemonsOf(a.tx, { ownerId: a.ownerId }),
  ]);
  // A machine that was revoked never reports: nothing is asked of it and nobody waits for it.
  const gone = new Set(daemons.filter((d) => d.status === 'revoked').map((d) => d.id));
  const reachable = tasks.filter((task) => !gone.has(task.homeDaemonId ?? ''));
  const since = contract.completionDetectedAt ?? contract.statusChangedAt;
  const stand = (operations: readonly OperationRow[]): Stand =>
    standOf(
      operations.filter((o) => !gone.has(o.daemonId ?? '')),
      since,
    );
  const delivery = await deliverOnce(a, contract, reachable, stand(delivers));
  if (delivery.step === 'under_way') return 'keeping';
  // Directories go only after the delivery, which may need what they hold.
  if (delivery.step === 'given_up') return giveUp(a, contract, delivery.failed);
  const each: Stand[] = [];
  for (const task of reachable)
    each.push(
      await cleanOnce(a, contract, task, stand(cleans.filter((o) => o.taskId === task.id))),
    );
  if (each.some((one) => one.step === 'under_way')) return 'keeping';
  const failed = each.find((one) => one.step === 'given_up');
  if (failed?.step === 'given_up') return giveUp(a, contract, failed.failed);
  // One that failed may be taken up again, on any machine.
  if (contract.status !== 'failed')
    await dropCarried(a.tx, { ownerId: a.ownerId, contractId: contract.id });
  if (contract.status === 'completing') await completeContract(a, contract);
  return 'done';
}

/** What was promised was not done, whatever was tried: a person must look. One that failed or is archived stays so. */
async function giveUp(a: Act, contract: ContractRow, failed: OperationRow): Promise<Cleaning> {
  if (contract.status !== 'completing') return 'done';
  const what =
    failed.kind === 'branch.deliver'
      ? 'the branch was not delivered'
      : 'a working directory was not cleaned up';
  const error = wordsOf(failed.error) ?? 'no reason given';
  const active = await moveContract(a, contract, {
    to: 'active',
    reason: 'the clean-up did not succeed',
  });
  const reason = `${what} (${failed.kind} failed ${cleanupTriesMax} times): ${error.slice(0, 1_000)}`;
  if (a.engine.settings.features.enhancedContractStatus)
    await moveContract(a, active, { to: 'blocked', blockedReason: reason });
  else await failContract(a, active, reason);
  return 'blocked';
}

async function deliverOnce(
  a: Act,
  contract: ContractRow,
  tasks: readonly TaskRow[],
  stand: Stand,
): Promise<Stand> {
  const daemonId = tasks.find((task) => task.isSupervisor)?.homeDaemonId;
  if (contract.status !== 'completing' || daemonId == null || stand.step !== 'owed') return stand;
  const [repository] = await repositoriesOf(a.tx, { ownerId: a.ownerId, contractId: contract.id });
  if (repository?.localPath == null) return { step: 'done' };
  await order(a, contract, null, daemonId, 'branch.deliver', (operationId) => ({
    kind: 'branch.deliver',
    operationId,
    contractId: contract.id,
    repository: { url: null, path: repository.localPath, baseBranch: repository.baseBranch },
    branch: contractBranch(contract.slug),
    fastForwardBase: contract.autoMergeLocal,
  }));
  return { step: 'under_way' };
}

async function cleanOnce(
  a: Act,
  contract: ContractRow,
  task: TaskRow,
  stand: Stand,
): Promise<Stand> {
  if (task.homeDaemonId === null || task.currentAttempt === 0 || stand.step !== 'owed')
    return stand;
  await orderClean(a, contract, task, task.homeDaemonId);
  return { step: 'under_way' };
}

/** The machine keeps what is unmerged and removes the directory. */
export async function orderClean(
  a: Act,
  contract: ContractRow,
  task: TaskRow,
  daemonId: string,
): Promise<void> {
  const place = { url: task.repositoryUrl, path: task.localPath };
  const { contractHead = null } = await headOf(a.tx, contract, place);
  await order(a, contract, task, daemonId, 'workdir.clean', (operationId) => ({
    kind: 'workdir.clean',
    operationId,
    taskId: task.id,
    attempt: task.currentAttempt,
    contractHead,
  }));
}

async function order(
  a: Act,
  contract: ContractRow,
  task: TaskRow | null,
  daemonId: string,
  kind: 'workdir.clean' | 'branch.deliver',
  command: (operationId: string) => Command,
): Promise<void> {
  const operation = await insertOperation(a.tx, {
    ownerId: a.ownerId,
    contractId: contract.id,
    taskId: task?.id ?? null,
    attempt: task?.currentAttempt ?? null,
    daemonId,
    kind,
    // What is asked for, as its result is told later.
    request: kind === 'branch.deliver' ? { fastForwardBase: contract.autoMergeLocal } : {},
    requestedBy: a.caller.name,
  });
  await appendCommand(a.tx, {
    ownerId: a.ownerId,
    daemonId,
    taskId: task?.id ?? null,
    attempt: task?.currentAttempt ?? null,
    command: await withHead(a.tx, operation, command(operation.id)),
  });
  a.hint(channels.daemonWake(daemonId));
}
