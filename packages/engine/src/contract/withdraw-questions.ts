/** What a contract that is over still asked: nobody needs to answer it any more. */
import { channels } from '@makima/contracts/channels';
import { openConfirmation } from '@makima/db/repo/confirmations';
import { cancelQuestionRow, openQuestionsOf } from '@makima/db/repo/questions';
import type { ContractRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { voidConfirmation } from './confirmation.ts';

/** The caller holds the contract's lock. */
export async function withdrawQuestions(
  a: Act,
  contract: ContractRow,
  reason: string,
): Promise<void> {
  const confirmation = await openConfirmation(a.tx, { contractId: contract.id });
  if (confirmation !== undefined) await voidConfirmation(a, contract, confirmation, reason);
  const open = await openQuestionsOf(a.tx, { ownerId: a.ownerId, contractId: contract.id });
  for (const question of open) {
    const row = await cancelQuestionRow(a.tx, { id: question.id });
    if (row === undefined) continue;
    a.hint(channels.questionDone(row.id));
    a.emit('question.cancelled', {
      contractId: contract.id,
      taskId: row.taskId,
      data: { questionId: row.id, reason },
    });
  }
}
