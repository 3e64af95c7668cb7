/** A receipt: the agent has a message in its queue, or in its conversation. */
import type { ReportOf } from '@makima/contracts/socket/reports';
import { receiveMessage } from '@makima/db/repo/messages';
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
  if (message === undefined || state !== 'delivered') return;
  a.emit('message.delivered', {
    contractId: fenced.task.contractId,
    taskId: report.taskId,
    data: { messageId: message.id, source: message.source, attempt: report.attempt },
  });
}
