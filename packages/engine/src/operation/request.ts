/** Long git work asked of the daemon that holds the code: a row, a durable command, and a result that may come late. */
import { channels } from '@makima/contracts/channels';
import type { Command } from '@makima/contracts/socket/commands';
import { MakimaError } from '@makima/domain/error';
import { mayWork } from '@makima/domain/contract';
import { nextCheckpointNumber } from '@makima/db/repo/checkpoints';
import { appendCommand, findDaemon } from '@makima/db/repo/daemons';
import { lockContract } from '@makima/db/repo/contracts';
import { insertOperation } from '@makima/db/repo/operations';
import type { ContractRow, OperationRow, TaskRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import {
  lockedTask,
  notFound,
  readableTask,
  requireLead,
  requirePerson,
  requirePresent,
} from '../authorize.ts';
import { contractBranch } from '../task/start-command.ts';

/** Merge a finished task's branch into the contract's, or another branch of the store. */
export function requestMerge(
  engine: Engine,
  call: Call,
  input: { id: string; targetBranch?: string | undefined; squash: boolean },
): Promise<Acted<{ operationId: string }>> {
  return act(engine, call, async (a) => {
    const contract = await contractOf(a, await readableTask(a.tx, a.caller, input.id));
    await requireLead(a, contract.id, 'merge tasks');
    const task = await lockedTask(a.tx, a.caller, input.id);
    // A supervisor brings in what it committed itself while it goes on working; its first calls may
    // come before the report that it has started.
    const ownWork = task.isSupervisor && (task.status === 'running' || task.status === 'starting');
    if (!ownWork && task.status !== 'done' && task.status !== 'merged') {
      throw new MakimaError(
        'INVALID_TRANSITION',
        `only a task that is done is merged; this one is ${task.status}`,
        {
          fix: 'wait for it first',
          details: { status: task.status },
        },
      );
    }
    const targetBranch = input.targetBranch ?? task.targetBranch ?? contractBranch(contract);
    // With the owner's permission also into the branch that the work started from; never into any other.
    const open = [contractBranch(contract), ...(contract.autoMergeLocal ? [task.baseBranch] : [])];
    if (a.caller.kind === 'agent' && !open.includes(targetBranch)) {
      throw new MakimaError(
        'FORBIDDEN',
        `merging into ${targetBranch} needs the owner's permission`,
        {
          fix: 'merge into the contract’s branch, or ask a person',
          details: { contractBranch: contractBranch(contract) },
        },
      );
    }
    const operation = await request(
      a,
      task,
      'branch.merge',
      { targetBranch, squash: input.squash },
      (operationId) => ({
        kind: 'branch.merge',
        operationId,
        taskId: task.id,
        attempt: task.currentAttempt,
        repository: { url: task.repositoryUrl, path: task.localPath, baseBranch: task.baseBranch },
        targetBranch,
        squash: input.squash,
        message: `Merge ${task.name}`,
      }),
    );
    return { operationId: operation.id };
  });
}

/** An agent's own task only, or by its supervisor or a person. */
export function requestCheckpoint(
  engine: Engine,
  call: Call,
  input: { id: string; message: string },
): Promise<Acted<{ operationId: string; checkpointNumber: number }>> {
  return act(engine, call, async (a) => {
    await readableTask(a.tx, a.caller, input.id);
    if (a.caller.kind === 'agent') await requirePresent(a, a.caller);
    else requirePerson(a.caller, 'make checkpoints');
    const task = await lockedTask(a.tx, a.caller, input.id);
    const number = await nextCheckpointNumber(a.tx, { taskId: task.id });
    const operation = await request(
      a,
      task,
      'task.checkpoint',
      { number, message: input.message },
      (operationId) => ({
        kind: 'task.checkpoint',
        operationId,
        taskId: task.id,
        attempt: task.currentAttempt,
        number,
        message: input.message,
      }),
    );
    return { operationId: operation.id, checkpointNumber: number };
  });
}

export function requestDiff(
  engine: Engine,
  call: Call,
  input: { id: string },
): Promise<Acted<{ operationId: string }>> {
  return act(engine, call, async (a) => {
    const seen = await readableTask(a.tx, a.caller, input.id);
    await requireLead(a, seen.contractId, 'ask for diffs');
    const task = await lockedTask(a.tx, a.caller, input.id);
    const operation = await request(a, task, 'task.diff', {}, (operationId) => ({
      kind: 'task.diff',
      operationId,
      taskId: task.id,
      attempt: task.currentAttempt,
    }));
    return { operationId: operation.id };
  });
}

async function contractOf(a: Act, task: TaskRow): Promise<ContractRow> {
  const contract =
    task.contractId === null
      ? undefined
      : await lockContract(a.tx, { ownerId: a.ownerId, id: task.contractId, strength: 'share' });
  if (contract === undefined)
    throw new MakimaError('NO_CONTEXT', 'this task belongs to no contract');
  if (!mayWork(contract.status) && contract.status !== 'completing') {
    throw new MakimaError(
      'INVALID_TRANSITION',
      `nothing is merged in a contract that is ${contract.status}`,
    );
  }
  return contract;
}

/** The row and its command, for the daemon where the task's directory is. */
export async function request(
  a: Act,
  task: TaskRow,
  kind: Command['kind'],
  asked: Record<string, unknown>,
  command: (operationId: string) => Command,
): Promise<OperationRow> {
  if (task.homeDaemonId === null || task.currentAttempt === 0) {
    throw new MakimaError('NO_DAEMON', 'this task has not run on any machine yet', {
      retryable: true,
      fix: 'wait until it has started',
    });
  }
  const daemon = await findDaemon(a.tx, { ownerId: a.ownerId, id: task.homeDaemonId });
  if (daemon === undefined) throw notFound('daemon', task.homeDaemonId);
  const operation = await insertOperation(a.tx, {
    ownerId: a.ownerId,
    contractId: task.contractId,
    taskId: task.id,
    attempt: task.currentAttempt,
    daemonId: daemon.id,
    kind,
    request: asked,
    requestedBy: a.caller.name,
  });
  await appendCommand(a.tx, {
    ownerId: a.ownerId,
    daemonId: daemon.id,
    taskId: task.id,
    attempt: task.currentAttempt,
    command: command(operation.id),
  });
  a.emit('operation.requested', {
    contractId: task.contractId,
    taskId: task.id,
    data: { operationId: operation.id, kind, name: task.name },
  });
  a.hint(channels.daemonWake(daemon.id));
  return operation;
}
