/** Which function applies which report; the list is complete by type. */
import type { Report } from '@makima/contracts/socket/reports';
import type { Act } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';
import { taskStarted } from './task-started.ts';
import { taskOutputted, transcriptStored } from './task-outputted.ts';
import { taskTurnEnded } from './task-turn-ended.ts';
import { taskUsed } from './task-used.ts';
import { taskKept } from './task-kept.ts';
import { taskEnded } from './task-ended.ts';
import { messageReceived } from './message-received.ts';
import { agentAsked, agentWithdrew } from '../question/agent-asked.ts';
import { operationFinished, patchStored } from '../operation/finish.ts';

export async function applyReport(a: Act, daemon: DaemonPrincipal, report: Report): Promise<void> {
  switch (report.kind) {
    case 'task.started':
      return taskStarted(a, daemon, report);
    case 'task.outputted':
      return taskOutputted(a, daemon, report);
    case 'transcript.stored':
      return transcriptStored(a, daemon, report);
    case 'task.used':
      return taskUsed(a, daemon, report);
    case 'task.turn_ended':
      return taskTurnEnded(a, daemon, report);
    case 'task.ended':
      return taskEnded(a, daemon, report);
    case 'task.kept':
      return taskKept(a, daemon, report);
    case 'message.received':
      return messageReceived(a, daemon, report);
    case 'agent.asked':
      return agentAsked(a, daemon, report);
    case 'agent.withdrew':
      return agentWithdrew(a, daemon, report);
    case 'operation.finished':
      return operationFinished(a, daemon, report);
    case 'patch.stored':
      return patchStored(a, daemon, report);
  }
}
