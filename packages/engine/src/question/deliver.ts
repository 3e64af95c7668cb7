/**
 * An answer on its way to its asker: as its tool's result when a request holds for it, in the digest of one
 * that rests, else as a message.
 */
import { answerText, requestIdOf } from '@makima/domain/question';
import { takeAnswer } from '@makima/db/repo/questions';
import { findTask } from '@makima/db/repo/tasks';
import type { QuestionRow, TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { sendMessage } from '../message/send.ts';
import { mailWake } from '../supervisor/mail-wake.ts';

/** `consequence`: a sentence on what the answer has brought about, for a message. */
export async function deliver(
  a: Act,
  question: QuestionRow,
  options: { consequence?: string } = {},
): Promise<void> {
  if (question.taskId === null) return;
  const held = question.heldUntil !== null && question.heldUntil > a.now;
  if (held) return;
  const asker = await findTask(a.tx, { ownerId: a.ownerId, id: question.taskId });
  if (asker !== undefined && waitsForDigest(asker, question)) {
    if (asker.session === 'parked') mailWake(a, asker);
    return;
  }
  const response = question.response ?? '';
  const requestId = requestIdOf(question.askKey);
  const words =
    options.consequence === undefined ? response : `${response}. ${options.consequence}`;
  await sendMessage(a, {
    taskId: question.taskId,
    text: answerText(question.question, words),
    mode: 'queue',
    source: 'answer',
    sourceId: question.id,
    ...(requestId === undefined ? {} : { requestId, answer: response }),
  });
  await takeAnswer(a.tx, { id: question.id });
}

/** A question of the agent's own is asked again by its program when it goes on, and answered as such. */
function waitsForDigest(asker: TaskRow, { askKey }: QuestionRow): boolean {
  const rests = asker.session === 'parked' || asker.session === 'limited';
  return asker.isSupervisor && rests && askKey === null;
}
