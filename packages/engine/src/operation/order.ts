/**
 * Long git work ordered from the machine that has the code of a task: a row, a durable command, and a result
 * that may come late.
 *
 * Law: one order per operation; who asks for the same while it is under way gets the same operation, and so does
 * who asks again for a result that came too late for its asker.
 */
import { channels } from '@makima/contracts/channels';
import type { Command } from '@makima/contracts/socket/commands';
import { MakimaError } from '@makima/domain/error';
import { isTaskFinal, type TaskStatus } from '@makima/domain/task';
import { appendCommand, findDaemon } from '@makima/db/repo/daemons';
import { insertOperation, sameOperation } from '@makima/db/repo/operations';
import type { OperationRow, TaskRow } from '@makima/db/rows';
import { notFound } from '../authorize.ts';
import type { Act } from '../context.ts';
import { withHead } from '../contract/head.ts';

export interface Order {
  /** Whose machine does it, in whose attempt. */
  readonly task: TaskRow;
  readonly kind: Command['kind'];
  /** What was asked, as it is kept in the row. */
  readonly asked: Record<string, unknown>;
  readonly command: (operationId: string) => Command;
  /**
   * The same order stands for this one: while it is under way (`pending`), also when it is over and its orderer has
   * not been shown the result (`unseen`). Default: a new one.
   */
  readonly join?: 'pending' | 'unseen' | undefined;
  /** Who asks, when it is not the caller. */
  readonly requestedBy?: string | undefined;
}

/** The caller holds the task's lock. */
export async function order(a: Act, wanted: Order): Promise<OperationRow> {
  const { task, kind, asked } = wanted;
  const daemonId = await machineOf(a, task);
  const about = { ownerId: a.ownerId, taskId: task.id, attempt: task.currentAttempt, daemonId };
  const requestedBy = wanted.requestedBy ?? a.caller.name;
  if (wanted.join !== undefined) {
    const stand = wanted.join;
    const same = await sameOperation(a.tx, { ...about, kind, request: asked, requestedBy, stand });
    if (same !== undefined) return same;
  }
  const operation = await insertOperation(a.tx, {
    ...about,
    contractId: task.contractId,
    kind,
    request: asked,
    requestedBy,
  });
  const command = await withHead(a.tx, operation, wanted.command(operation.id));
  await appendCommand(a.tx, { ...about, command });
  a.emit('operation.requested', {
    contractId: task.contractId,
    taskId: task.id,
    data: { operationId: operation.id, kind, name: task.name },
  });
  a.hint(channels.daemonWake(daemonId));
  return operation;
}

/** The machine on which the task's last attempt ran. @throws NO_DAEMON when none can be asked, INVALID_TRANSITION when none ever can. */
export async function machineOf(a: Act, task: TaskRow): Promise<string> {
  if (task.homeDaemonId === null || task.currentAttempt === 0) {
    throw onNoMachine(task);
  }
  const daemon = await findDaemon(a.tx, { ownerId: a.ownerId, id: task.homeDaemonId });
  if (daemon === undefined) throw notFound('daemon', task.homeDaemonId);
  if (daemon.status === 'revoked') {
    throw new MakimaError(
      'NO_DAEMON',
      `the machine that has its code (${daemon.name}) was revoked`,
      {
        fix: 'start the task again: it goes on from its last checkpoint',
      },
    );
  }
  return daemon.id;
}

/** A task that was never given to a machine: one may come, unless the task is over. */
export function onNoMachine({ status }: { readonly status: TaskStatus }): MakimaError {
  if (isTaskFinal(status)) {
    return new MakimaError(
      'INVALID_TRANSITION',
      `this task is ${status} and never ran on a machine`,
      {
        details: { status },
        fix: 'there is no work of it; what it was for needs a new task',
      },
    );
  }
  return new MakimaError('NO_DAEMON', 'this task has not run on any machine yet', {
    retryable: true,
    fix: 'wait until it has started',
  });
}
