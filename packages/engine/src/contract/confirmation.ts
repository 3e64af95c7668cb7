/**
 * The request for a person's confirmation, and the question through which people see it. One is open per
 * contract; asking again for the same thing finds the one that is open, and what changed since voids it.
 */
import { channels } from '@makima/contracts/channels';
import { MakimaError } from '@makima/domain/error';
import { answerText } from '@makima/domain/question';
import { afterQuestion } from '@makima/domain/supervisor';
import {
  closeConfirmation,
  insertConfirmation,
  openConfirmation,
  questionOfConfirmation,
  refusedAsItStands,
} from '@makima/db/repo/confirmations';
import { cancelQuestionRow, insertQuestion } from '@makima/db/repo/questions';
import { findTask } from '@makima/db/repo/tasks';
import type { ConfirmationRow, ContractRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { sendMessage } from '../message/send.ts';
import { askerGoesOn } from '../question/settle.ts';
import { savePoint } from '../save-point.ts';
import { digestOf, gateOf, shownOf } from './gate.ts';
import { syncWaiting } from './move.ts';

export interface ConfirmationRequest {
  readonly confirmation: ConfirmationRow;
  readonly questionId: string;
}

/**
 * What a person sent back, an agent asks for again when there is something new to see.
 *
 * `to` is the next phase, or null for the completion of the contract; `said`: the words of an agent that asks
 * for it. The caller holds the contract's lock.
 * @throws CONFLICT to an agent, with the person's words.
 */
export async function requestConfirmation(
  a: Act,
  contract: ContractRow,
  to: string | null,
  said?: string,
): Promise<ConfirmationRequest> {
  const { deliverables } = await gateOf(a.tx, contract);
  const digest = digestOf(contract, to ?? '', deliverables);
  const words =
    to === null
      ? `Complete the contract "${contract.name}"?`
      : `May "${contract.name}" go from ${contract.phase} to ${to}?`;
  const open = await openConfirmation(a.tx, { contractId: contract.id });
  if (open !== undefined) {
    const question = await questionOfConfirmation(a.tx, { confirmationId: open.id });
    const same =
      open.toPhase === to && open.contractVersion === contract.version && open.digest === digest;
    if (same && question !== undefined) {
      await waitsFor(a, contract, words);
      return { confirmation: open, questionId: question.id };
    }
    await voidConfirmation(a, contract, open);
  }
  if (a.caller.kind === 'agent') await assertSomethingNew(a, contract, digest);
  const confirmation = await insertConfirmation(a.tx, {
    ownerId: contract.ownerId,
    contractId: contract.id,
    kind: to === null ? 'completion' : 'phase',
    fromPhase: contract.phase,
    toPhase: to,
    contractVersion: contract.version,
    digest,
    shown: shownOf(deliverables),
    requestedBy: a.caller.name,
  });
  const question = await insertQuestion(a.tx, {
    ownerId: contract.ownerId,
    contractId: contract.id,
    taskId: contract.supervisorTaskId,
    question: words,
    context: contextOf(contract, deliverables, said),
    choices: ['Approve', 'Send back'],
    phaseguard: true,
    questionType: to === null ? 'contract_complete' : 'phase_confirmation',
    confirmationId: confirmation.id,
  });
  const questionId = question?.id ?? '';
  a.emit('question.asked', {
    contractId: contract.id,
    taskId: contract.supervisorTaskId,
    data: {
      questionId,
      questionType: question?.questionType,
      question: question?.question,
      choices: ['Approve', 'Send back'],
      confirmationId: confirmation.id,
    },
  });
  await syncWaiting(a, contract);
  await waitsFor(a, contract, words);
  return { confirmation, questionId };
}

/** The supervisor that asks waits for the person from now on, as it does for an answer. */
async function waitsFor(a: Act, contract: ContractRow, question: string): Promise<void> {
  const { caller } = a;
  if (caller.kind !== 'agent' || caller.taskId !== contract.supervisorTaskId) return;
  const task = await findTask(a.tx, { ownerId: a.ownerId, id: caller.taskId });
  if (task !== undefined) await savePoint(a, task, afterQuestion(question));
}

async function assertSomethingNew(a: Act, contract: ContractRow, digest: string): Promise<void> {
  const { id: contractId, version } = contract;
  const no = await refusedAsItStands(a.tx, { contractId, version, digest });
  if (no === undefined) return;
  throw new MakimaError('CONFLICT', `${no.by} has sent this back: ${no.notes ?? 'no'}`, {
    details: { reason: 'sent_back', by: no.by, words: no.notes },
    fix: 'change it first: merge what was asked for, or show a deliverable anew; if you do not know what is wanted, ask a question',
  });
}

function contextOf(
  contract: ContractRow,
  deliverables: readonly { readonly deliverableId: string }[],
  words: string | undefined,
): string | null {
  const done = deliverables.map((deliverable) => deliverable.deliverableId).join(', ');
  const lines = [
    ...(done === '' ? [] : [`Deliverables of ${contract.phase}: ${done}`]),
    ...(words === undefined ? [] : [`The supervisor says: ${words}`]),
  ];
  return lines.length === 0 ? null : lines.join('\n');
}

/** What was shown has changed: nobody can approve it any more. */
export async function voidConfirmation(
  a: Act,
  contract: ContractRow,
  confirmation: ConfirmationRow,
  reason = 'what it showed has changed',
): Promise<void> {
  await closeConfirmation(a.tx, { id: confirmation.id, state: 'void' });
  const question = await questionOfConfirmation(a.tx, { confirmationId: confirmation.id });
  if (question === undefined) return;
  const cancelled = await cancelQuestionRow(a.tx, { id: question.id });
  if (cancelled !== undefined) {
    a.hint(channels.questionDone(cancelled.id));
    a.emit('question.cancelled', {
      contractId: contract.id,
      taskId: cancelled.taskId,
      data: { questionId: cancelled.id, reason },
    });
    await askerGoesOn(a, cancelled);
  }
}

/** Void an open confirmation whose contract has changed under it; called by every verb that changes what it shows. */
export async function voidIfChanged(a: Act, contract: ContractRow): Promise<void> {
  const open = await openConfirmation(a.tx, { contractId: contract.id });
  if (open === undefined) return;
  const { deliverables } = await gateOf(a.tx, contract);
  if (
    open.contractVersion === contract.version &&
    open.digest === digestOf(contract, open.toPhase ?? '', deliverables)
  )
    return;
  await voidConfirmation(a, contract, open);
  await syncWaiting(a, contract);
}

/** Tell the supervisor what a person decided. */
export async function tellDecision(
  a: Act,
  contract: ContractRow,
  question: string,
  words: string,
): Promise<void> {
  if (contract.supervisorTaskId === null) return;
  await sendMessage(a, {
    taskId: contract.supervisorTaskId,
    text: answerText(question, words),
    mode: 'steer',
    source: 'answer',
    sourceId: null,
  });
}
