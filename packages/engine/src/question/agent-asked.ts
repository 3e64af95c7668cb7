/** An agent's own question tool or permission prompt, reported by its daemon: into the same inbox. */
import { channels } from '@makima/contracts/channels';
import type { ReportOf } from '@makima/contracts/socket/reports';
import { isTerminal } from '@makima/domain/contract';
import { agentAskKey } from '@makima/domain/question';
import { isTaskFinal } from '@makima/domain/task';
import { afterQuestion } from '@makima/domain/supervisor';
import {
  cancelQuestionRow,
  findAsked,
  insertQuestion,
  reopenQuestion,
} from '@makima/db/repo/questions';
import { lockContract } from '@makima/db/repo/contracts';
import { findTask } from '@makima/db/repo/tasks';
import type { ContractRow, QuestionRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';
import { syncWaiting } from '../contract/move.ts';
import { fenceReport, type Fenced } from '../report/fence.ts';
import { savePoint } from '../save-point.ts';
import { deliver } from './deliver.ts';

/**
 * `requestId` is stable over a resume: the same question of the same agent is one row. Asked again by a
 * later attempt although it is answered, its answer is sent again: the agent that had it is gone. Asked again
 * after it was withdrawn, it is open again.
 */
export async function agentAsked(
  a: Act,
  daemon: DaemonPrincipal,
  report: ReportOf<'agent.asked'>,
): Promise<void> {
  const present = await presentAsker(a, daemon, report);
  if (present === undefined) return;
  const { fenced, contract } = present;
  const question =
    (await insertQuestion(a.tx, {
      ownerId: a.ownerId,
      contractId: contract?.id ?? null,
      directiveId: contract === undefined ? fenced.task.directiveId : null,
      taskId: report.taskId,
      askKey: agentAskKey(report.requestId),
      askedEpoch: report.attempt,
      questionType: report.questionType,
      question: report.question,
      context: report.context,
      choices: report.choices,
      multiSelect: report.multiSelect,
      tool: report.tool ?? null,
    })) ?? (await askedBefore(a, report));
  if (question === undefined) return;
  a.emit('question.asked', {
    contractId: question.contractId,
    taskId: report.taskId,
    data: {
      questionId: question.id,
      questionType: question.questionType,
      question: question.question,
      choices: question.choices,
      multiSelect: question.multiSelect,
      ...(question.tool === null ? {} : { tool: question.tool.name }),
    },
  });
  if (contract !== undefined) await syncWaiting(a, contract);
  if (!fenced.task.isSupervisor) return;
  await savePoint(a, fenced.task, afterQuestion(report.question));
}

/** The row when it is open again; an answer that it has is on its way again. */
async function askedBefore(
  a: Act,
  report: ReportOf<'agent.asked'>,
): Promise<QuestionRow | undefined> {
  const asked = await findAsked(a.tx, keyOf(report));
  if (asked?.status === 'answered') await deliver(a, { ...asked, heldUntil: null });
  if (asked?.status !== 'cancelled') return undefined;
  return reopenQuestion(a.tx, { id: asked.id, epoch: report.attempt });
}

function keyOf({ taskId, requestId }: { taskId: string; requestId: string }) {
  return { taskId, askKey: agentAskKey(requestId) };
}

/** The agent broke off: nobody needs to answer what it asked, until it asks again. */
export async function agentWithdrew(
  a: Act,
  daemon: DaemonPrincipal,
  report: ReportOf<'agent.withdrew'>,
): Promise<void> {
  const present = await presentAsker(a, daemon, report);
  if (present === undefined) return;
  const asked = await findAsked(a.tx, keyOf(report));
  if (asked === undefined) return;
  const row = await cancelQuestionRow(a.tx, { id: asked.id });
  if (row === undefined) return;
  a.hint(channels.questionDone(row.id));
  a.emit('question.cancelled', {
    contractId: row.contractId,
    taskId: row.taskId,
    data: { questionId: row.id, reason: 'the agent that asked broke off' },
  });
  if (present.contract !== undefined) await syncWaiting(a, present.contract);
}

/**
 * The contract's lock comes first, then the task's and the attempt's. Undefined also for an agent whose task or
 * contract is over: its process may live on for a moment, but nobody is asked by it any more.
 */
async function presentAsker(
  a: Act,
  daemon: DaemonPrincipal,
  report: { readonly taskId: string; readonly attempt: number },
): Promise<{ fenced: Fenced; contract: ContractRow | undefined } | undefined> {
  const known = await findTask(a.tx, { ownerId: a.ownerId, id: report.taskId });
  const contractId = known?.contractId ?? null;
  const contract =
    contractId === null
      ? undefined
      : await lockContract(a.tx, { ownerId: a.ownerId, id: contractId, strength: 'update' });
  const fenced = await fenceReport(a, daemon, report);
  if (fenced?.present !== true || isTaskFinal(fenced.task.status)) return undefined;
  return contract === undefined || mayHaveOpenQuestions(contract)
    ? { fenced, contract }
    : undefined;
}

/** Those that rest go on later; of those that are over, everything asked was withdrawn. */
function mayHaveOpenQuestions({ status }: ContractRow): boolean {
  return status !== 'completing' && !isTerminal(status);
}
