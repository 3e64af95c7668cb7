/** A contract ends without completion: by a person's word, or because nobody leads it any more. */
import type { ContractRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { moveContract } from './move.ts';
import { withdrawQuestions } from './withdraw-questions.ts';

/** The caller holds the contract's lock and has asked the domain. Its agents end in the clean-up. */
export async function failContract(
  a: Act,
  contract: ContractRow,
  reason: string,
): Promise<ContractRow> {
  const row = await moveContract(a, contract, { to: 'failed', failureReason: reason });
  a.emit('contract.failed', { contractId: row.id, data: { reason } });
  await withdrawQuestions(a, row, `the contract failed: ${reason}`);
  a.mail(
    'clean-contract',
    { contractId: row.id },
    { entityId: row.id, fence: `failed-${row.version}` },
  );
  // Without the flag it does not rest as failed: it is put away at once, with its reason.
  if (!a.engine.settings.features.enhancedContractStatus)
    return moveContract(a, row, { to: 'archived', reason });
  return row;
}
