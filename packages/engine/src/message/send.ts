/**
 * Mail to an agent: a row first, then a command when the agent is alive; otherwise it goes along with its
 * next attempt. The row's id is the agent-side idempotency key, so it may be sent any number of times.
 *
 * Law: what waits for one agent is bounded: agents and people are refused beyond it. What makima itself
 * has to say always passes.
 */
import { channels } from '@makima/contracts/channels';
import { wireLimits } from '@makima/contracts/limits';
import { MakimaError } from '@makima/domain/error';
import { appendCommand } from '@makima/db/repo/daemons';
import { lockMailbox } from '@makima/db/repo/locks';
import { mailboxLoad } from '@makima/db/repo/mailbox';
import {
  insertAgentMessage,
  markMessagesSent,
  undeliveredMessages,
} from '@makima/db/repo/messages';
import { findTask } from '@makima/db/repo/tasks';
import type { AgentMessage } from '@makima/contracts/socket/commands';
import type { AgentMessageRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { mailWake } from '../supervisor/mail-wake.ts';

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
    | 'retry'
    | 'moved';
  readonly sourceId: string | null;
  readonly id?: string;
  /** The agent's own question that this answers, and the answer without the words around it. */
  readonly requestId?: string;
  readonly answer?: string;
}

/** Words of others than makima itself; their number is nobody's to choose. */
const bounded: readonly Mail['source'][] = ['person', 'supervisor', 'task'];

/** @throws LIMIT_EXCEEDED when too much waits for this agent already. */
export async function sendMessage(a: Act, mail: Mail): Promise<AgentMessageRow> {
  await lockMailbox(a.tx, { taskId: mail.taskId });
  if (bounded.includes(mail.source)) await checkRoom(a, mail);
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
    answer: mail.answer ?? null,
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
  if (!alive || task.homeDaemonId === null) {
    // Who parks it takes the mailbox too: parked already, or seen by the report of its end.
    if (task?.session === 'parked') mailWake(a, task);
    return message;
  }
  const { id: taskId, currentAttempt: attempt, homeDaemonId: daemonId } = task;
  await command(a, message, { taskId, attempt, daemonId });
  a.hint(channels.daemonWake(daemonId));
  return { ...message, sentAttempt: attempt };
}

interface Reader {
  readonly taskId: string;
  readonly attempt: number;
  readonly daemonId: string;
}

async function command(a: Act, message: AgentMessageRow, to: Reader): Promise<void> {
  const { taskId, attempt, daemonId } = to;
  await appendCommand(a.tx, {
    ownerId: a.ownerId,
    daemonId,
    taskId,
    attempt,
    command: { kind: 'task.message', taskId, attempt, message: wireMessage(message) },
  });
  await markMessagesSent(a.tx, { ids: [message.id], attempt });
}

/** The first of those that wait for an agent that begins, as many as its start command may hold. */
export function startMessages(waiting: readonly AgentMessageRow[]): AgentMessageRow[] {
  const first: AgentMessageRow[] = [];
  let bytes = 0;
  for (const row of waiting) {
    bytes += Buffer.byteLength(JSON.stringify(wireMessage(row)));
    if (first.length > 0 && bytes > wireLimits.startMessagesBytes) break;
    first.push(row);
  }
  return first;
}

/** What its start command could not hold follows, each message alone and in order. */
export async function sendWaiting(a: Act, to: Reader): Promise<void> {
  for (const message of await undeliveredMessages(a.tx, { taskId: to.taskId }))
    if (message.sentAttempt !== to.attempt) await command(a, message, to);
}

async function checkRoom(a: Act, mail: Mail): Promise<void> {
  const load = await mailboxLoad(a.tx, { taskId: mail.taskId });
  const { undeliveredMessagesPerTaskMax: most, undeliveredMessagesPerTaskMaxBytes: mostBytes } =
    a.engine.limits;
  if (load.count < most && load.bytes + Buffer.byteLength(mail.text) <= mostBytes) return;
  throw new MakimaError('LIMIT_EXCEEDED', `${load.count} messages wait for this agent already`, {
    retryable: true,
    details: { waiting: load.count, waitingBytes: load.bytes },
    fix: 'wait until it has read some of them',
  });
}

/** As it travels: what the agent reads, and which of its own questions it answers. */
export function wireMessage(row: AgentMessageRow): AgentMessage {
  return {
    id: row.id,
    text: row.text,
    mode: row.mode as AgentMessage['mode'],
    ...(row.requestId === null ? {} : { requestId: row.requestId }),
    ...(row.answer === null ? {} : { answer: row.answer }),
  };
}
