/**
 * What became of a message, for its sender: still here, in the agent's queue, read, or refused. One that its
 * task ended without reading is refused: nobody will ever read it.
 */
import { channels } from '@makima/contracts/channels';
import type { MessageReceipt } from '@makima/contracts/entity/task';
import { lockMailbox } from '@makima/db/repo/locks';
import { findAgentMessage, refuseUnread } from '@makima/db/repo/messages';
import { reading } from '@makima/db/tx';
import type { AgentMessageRow, TaskRow } from '@makima/db/rows';
import { MakimaError, isMakimaError } from '@makima/domain/error';
import { notFound, readableTask, refuseDaemon } from '../authorize.ts';
import type { Act, Engine } from '../context.ts';
import type { Principal } from '../principal.ts';

export async function readReceipt(
  engine: Engine,
  caller: Principal,
  input: { id: string },
): Promise<MessageReceipt> {
  refuseDaemon(caller);
  if (caller.kind === 'agent' && !caller.isSupervisor)
    throw new MakimaError('NOT_SUPERVISOR', 'only the supervisor of the contract may do this');
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      const row = await findAgentMessage(sql, { ownerId: caller.ownerId, id: input.id });
      if (row === undefined) throw notFound('message', input.id);
      await readableTask(sql, caller, row.taskId).catch((error: unknown) => {
        // A foreign task's message is not there; a database that is away is another thing.
        throw isMakimaError(error) && error.code === 'NOT_FOUND'
          ? notFound('message', input.id)
          : error;
      });
      return presentReceipt(row);
    })(),
  );
}

export function presentReceipt(row: AgentMessageRow): MessageReceipt {
  return {
    messageId: row.id,
    taskId: row.taskId,
    mode: row.mode as MessageReceipt['mode'],
    state: row.state as MessageReceipt['state'],
    attempt: row.sentAttempt,
    sentAt: row.createdAt.toISOString(),
    deliveredAt: row.deliveredAt?.toISOString() ?? null,
  };
}

/** The task is over: what its agent has not read is read by nobody. */
export async function refuseWhatIsUnread(a: Act, task: TaskRow): Promise<void> {
  await lockMailbox(a.tx, { taskId: task.id });
  for (const row of await refuseUnread(a.tx, { ownerId: a.ownerId, taskId: task.id }))
    tellRefused(a, task, row);
}

export function tellRefused(a: Act, task: TaskRow, row: AgentMessageRow): void {
  a.emit('message.refused', {
    contractId: task.contractId,
    taskId: task.id,
    data: { messageId: row.id, source: row.source, name: task.name, status: task.status },
  });
  a.hint(channels.messageReceived(row.id));
}
