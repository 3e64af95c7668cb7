/**
 * A contract's status changes here and nowhere else: fenced by the status it leaves, told as an event. The
 * transition table of the domain decides, the database refuses what it does not allow.
 */
import type { ContractStatus, WaitingFor } from '@makima/domain/contract';
import { contractTransitions, isTerminal } from '@makima/domain/contract';
import { MakimaError } from '@makima/domain/error';
import { openConfirmation } from '@makima/db/repo/confirmations';
import { setContractStatus } from '@makima/db/repo/contracts';
import { openQuestionsOf } from '@makima/db/repo/questions';
import type { ContractRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { standsReadyNoMore } from './ready.ts';

export interface Move {
  readonly to: ContractStatus;
  readonly waitingFor?: WaitingFor;
  readonly blockedReason?: string;
  readonly failureReason?: string;
  readonly reason?: string | undefined;
}

/** The caller holds the contract's lock and has asked the domain. */
export async function moveContract(
  a: Act,
  contract: ContractRow,
  move: Move,
): Promise<ContractRow> {
  if (!contractTransitions[contract.status].includes(move.to)) {
    throw new MakimaError(
      'INVALID_TRANSITION',
      `a contract that is ${contract.status} cannot become ${move.to}`,
    );
  }
  const row = await setContractStatus(a.tx, {
    ownerId: contract.ownerId,
    id: contract.id,
    from: contract.status,
    to: move.to,
    waitingFor: move.waitingFor ?? null,
    blockedReason: move.blockedReason ?? null,
    failureReason: move.failureReason ?? (move.to === 'archived' ? contract.failureReason : null),
    completionDetectedAt:
      move.to === 'completing'
        ? a.now
        : move.to === 'active'
          ? null
          : contract.completionDetectedAt,
  });
  if (row === undefined)
    throw new MakimaError('CONFLICT', 'the contract changed meanwhile', { retryable: true });
  if (isTerminal(row.status)) await standsReadyNoMore(a, contract);
  a.emit('contract.status_changed', {
    contractId: contract.id,
    data: {
      from: contract.status,
      to: row.status,
      waitingFor: row.waitingFor,
      reason: move.reason ?? move.blockedReason ?? move.failureReason ?? null,
    },
  });
  return row;
}

/**
 * Make `waiting_for_input` true to its meaning: an open confirmation, or a question whose asker waits.
 * Only touches contracts that are active or waiting. Answers the row as it is afterwards.
 */
export async function syncWaiting(a: Act, contract: ContractRow): Promise<ContractRow> {
  if (contract.status !== 'active' && contract.status !== 'waiting_for_input') return contract;
  // Without the flag a contract that was asked for something goes on being called active.
  if (!a.engine.settings.features.enhancedContractStatus) return contract;
  const wanted = await waitsFor(a, contract);
  if (wanted === null) {
    return contract.status === 'active' ? contract : moveContract(a, contract, { to: 'active' });
  }
  if (contract.status === 'active')
    return moveContract(a, contract, { to: 'waiting_for_input', waitingFor: wanted });
  if (contract.waitingFor === wanted) return contract;
  const row = await setContractStatus(a.tx, {
    ownerId: contract.ownerId,
    id: contract.id,
    from: 'waiting_for_input',
    to: 'waiting_for_input',
    waitingFor: wanted,
    blockedReason: null,
    failureReason: null,
    completionDetectedAt: contract.completionDetectedAt,
  });
  return row ?? contract;
}

async function waitsFor(a: Act, contract: ContractRow): Promise<WaitingFor | null> {
  const confirmation = await openConfirmation(a.tx, { contractId: contract.id });
  if (confirmation !== undefined)
    return confirmation.kind === 'completion' ? 'completion_confirmation' : 'phase_confirmation';
  const open = await openQuestionsOf(a.tx, { ownerId: contract.ownerId, contractId: contract.id });
  return open.some((q) => !q.nonBlocking) ? 'question' : null;
}
