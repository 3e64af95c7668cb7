/** An agent's own question tool or permission prompt, reported by its daemon: into the same inbox. */
import type { ReportOf } from '@makima/contracts/socket/reports';
import { afterQuestion } from '@makima/domain/supervisor';
import { findSupervisor } from '@makima/db/repo/supervisors';
import { findAsked, insertQuestion } from '@makima/db/repo/questions';
import { lockContract } from '@makima/db/repo/contracts';
import { findTask } from '@makima/db/repo/tasks';
import type { Act } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';
import { syncWaiting } from '../contract/move.ts';
import { fenceReport } from '../report/fence.ts';
import { savePoint } from '../save-point.ts';
import { deliver } from './deliver.ts';

/**
 * `requestId` is stable over a resume: the same question of the same agent is one row. Asked again by a
 * later attempt although it is answered, its answer is sent again: the agent that had it is gone.
 */
export async function agentAsked(
  a: Act,
  daemon: DaemonPrincipal,
  report: ReportOf<'agent.asked'>,
): Promise<void> {
  const known = await findTask(a.tx, { ownerId: a.ownerId, id: report.taskId });
  const contractId = known?.contractId ?? null;
  const contract =
    contractId === null
      ? undefined
      : await lockContract(a.tx, { ownerId: a.ownerId, id: contractId, strength: 'update' });
  const fenced = await fenceReport(a, daemon, report);
  if (fenced === undefined || !fenced.present) return;
  const question = await insertQuestion(a.tx, {
    ownerId: a.ownerId,
    contractId,
    directiveId: contractId === null ? fenced.task.directiveId : null,
    taskId: report.taskId,
    askKey: report.requestId,
    askedEpoch: report.attempt,
    question: report.question,
    context: report.context,
    choices: report.choices,
    multiSelect: report.multiSelect,
  });
  if (question === undefined) return answerAgain(a, report);
  a.emit('question.asked', {
    contractId,
    taskId: report.taskId,
    data: {
      questionId: question.id,
      questionType: report.questionType,
      question: question.question,
      choices: question.choices,
      multiSelect: question.multiSelect,
    },
  });
  if (contract !== undefined) await syncWaiting(a, contract);
  if (!fenced.task.isSupervisor) return;
  const supervisor = await findSupervisor(a.tx, { ownerId: a.ownerId, taskId: report.taskId });
  await savePoint(a, fenced.task, afterQuestion(report.question, supervisor?.progress ?? 0));
}

async function answerAgain(a: Act, report: ReportOf<'agent.asked'>): Promise<void> {
  const asked = await findAsked(a.tx, { taskId: report.taskId, askKey: report.requestId });
  if (asked?.status !== 'answered') return;
  await deliver(a, { ...asked, heldUntil: null });
}
