/** A receipt: the agent has a message in its queue, or has read it: then it is part of the conversation. */
import { channels } from '@makima/contracts/channels';
import type { ReportOf } from '@makima/contracts/socket/reports';
import { receiveMessage } from '@makima/db/repo/messages';
import { appendConversation } from '@makima/db/repo/talk';
import type { AgentMessageRow } from '@makima/db/rows';
import { tellRefused } from '../message/receipt.ts';
import { heardMessage } from '../message/heard.ts';
import type { Act } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';
import { fenceReport } from './fence.ts';

export async function messageReceived(
  a: Act,
  daemon: DaemonPrincipal,
  report: ReportOf<'message.received'>,
): Promise<void> {
  const fenced = await fenceReport(a, daemon, report);
  if (fenced === undefined || fenced.task.currentAttempt !== report.attempt) return;
  const state = report.state === 'done' ? 'delivered' : report.state;
  const message = await receiveMessage(a.tx, {
    ownerId: a.ownerId,
    taskId: report.taskId,
    id: report.messageId,
    state,
  });
  if (message === undefined) return;
  if (state === 'refused') tellRefused(a, fenced.task, message);
  else a.hint(channels.messageReceived(message.id));
  if (state !== 'delivered') return;
  await appendConversation(a.tx, {
    ownerId: a.ownerId,
    taskId: report.taskId,
    attempt: report.attempt,
    messages: [heardMessage(roleOf(message), message.text, a.now)],
  });
  a.emit('message.delivered', {
    contractId: fenced.task.contractId,
    taskId: report.taskId,
    data: { messageId: message.id, source: message.source, attempt: report.attempt },
  });
}

/** Words of a person or of an agent; what makima says of itself is neither's. */
const spoken: ReadonlySet<string> = new Set(['person', 'answer', 'supervisor', 'task']);

function roleOf({ source }: AgentMessageRow): 'system' | 'user' {
  return spoken.has(source) ? 'user' : 'system';
}
