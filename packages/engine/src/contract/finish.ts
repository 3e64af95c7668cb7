/**
 * The end of a contract (M1.8): detected → completing → grace or confirmation, which may reject → clean-up,
 * and only then `completed`.
 */
import { MakimaError } from '@makima/domain/error';
import { progressWhenCompleted } from '@makima/domain/progress';
import { findContract } from '@makima/db/repo/contracts';
import { saveCondition } from '@makima/db/repo/supervisors';
import type { ContractRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { moveContract } from './move.ts';
import { withdrawQuestions } from './withdraw-questions.ts';

/** Begin to complete: by a person's confirmation at once, else after the grace period. */
export async function finishContract(
  a: Act,
  contract: ContractRow,
  how: { confirmed: boolean },
): Promise<ContractRow> {
  const row =
    contract.status === 'completing'
      ? contract
      : await moveContract(a, contract, {
          to: 'completing',
          reason: how.confirmed ? 'confirmed by a person' : 'the gate of the last phase is met',
        });
  const graceMs = how.confirmed ? 0 : a.engine.settings.completionGraceMs;
  a.mail(
    'clean-contract',
    { contractId: row.id },
    {
      entityId: row.id,
      fence: `completing-${row.version}`,
      notBefore: new Date(a.now.getTime() + graceMs),
    },
  );
  return row;
}

/** Clean-up is done: the contract is over, and its supervisor with it. */
export async function completeContract(a: Act, contract: ContractRow): Promise<void> {
  const row = await moveContract(a, contract, { to: 'completed' });
  await withdrawQuestions(a, row, 'the contract is completed');
  if (row.supervisorTaskId !== null)
    await saveCondition(a.tx, {
      taskId: row.supervisorTaskId,
      state: 'completed',
      activity: 'The contract is completed',
      progress: progressWhenCompleted,
    });
  a.emit('contract.completed', {
    contractId: row.id,
    data: { phase: row.phase, version: row.version },
  });
}

export async function contractNow(a: Act, id: string): Promise<ContractRow> {
  const row = await findContract(a.tx, { ownerId: a.ownerId, id });
  if (row === undefined) throw new MakimaError('CONTRACT_NOT_FOUND', `there is no contract ${id}`);
  return row;
}
