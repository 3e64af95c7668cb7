/**
 * Mail to an agent: a row first, then a command when the agent is alive; otherwise it goes along with its
 * next attempt. The row's id is the agent-side idempotency key, so it may be sent any number of times.
 */
import { channels } from '@makima/contracts/channels';
import { appendCommand } from '@makima/db/repo/daemons';
import { lockMailbox } from '@makima/db/repo/locks';
import { insertAgentMessage, markMessagesSent } from '@makima/db/repo/messages';
import { findTask } from '@makima/db/repo/tasks';
import type { AgentMessage } from '@makima/contracts/socket/commands';
import type { AgentMessageRow } from '@makima/db/rows';
import type { Act } from '../context.ts';

export interface Mail {
  readonly taskId: string;
  readonly text: string;
  readonly mode: 'queue' | 'steer' | 'interrupt';
  readonly source:
    | 'notice'
    | 'answer'
    | 'wake'
    | 'nudge'
    | 'person'
    | 'supervisor'
    | 'task'
    | 'retry';
  readonly sourceId: string | null;
  readonly id?: string;
  /** The agent's own question that this answers. */
  readonly requestId?: string;
}

export async function sendMessage(a: Act, mail: Mail): Promise<AgentMessageRow> {
  await lockMailbox(a.tx, { taskId: mail.taskId });
  const task = await findTask(a.tx, { ownerId: a.ownerId, id: mail.taskId });
  const message = await insertAgentMessage(a.tx, {
    ...(mail.id === undefined ? {} : { id: mail.id }),
    ownerId: a.ownerId,
    contractId: task?.contractId ?? null,
    taskId: mail.taskId,
    text: mail.text,
    mode: mail.mode,
    source: mail.source,
    sourceId: mail.sourceId,
    requestId: mail.requestId ?? null,
  });
  a.emit('message.sent', {
    contractId: task?.contractId ?? null,
    taskId: mail.taskId,
    data: { messageId: message.id, source: mail.source, mode: mail.mode },
  });
  const alive =
    task !== undefined &&
    (task.status === 'starting' || task.status === 'running') &&
    task.homeDaemonId !== null;
  if (!alive || task.homeDaemonId === null) return message;
  await appendCommand(a.tx, {
    ownerId: a.ownerId,
    daemonId: task.homeDaemonId,
    taskId: task.id,
    attempt: task.currentAttempt,
    command: {
      kind: 'task.message',
      taskId: task.id,
      attempt: task.currentAttempt,
      message: wireMessage(message),
    },
  });
  await markMessagesSent(a.tx, { ids: [message.id], attempt: task.currentAttempt });
  a.hint(channels.daemonWake(task.homeDaemonId));
  return message;
}

/** As it travels: what the agent reads, and which of its own questions it answers. */
export function wireMessage(row: AgentMessageRow): AgentMessage {
  return {
    id: row.id,
    text: row.text,
    mode: row.mode as AgentMessage['mode'],
    ...(row.requestId === null ? {} : { requestId: row.requestId }),
  };
}
