/**
 * A person's word on completion: yes before the grace is over, or no. A yes is a confirmation row of that
 * person, bound to the version that it confirms.
 */
import { MakimaError } from '@makima/domain/error';
import { isTaskFinal } from '@makima/domain/task';
import {
  decideConfirmation,
  insertConfirmation,
  openConfirmation,
} from '@makima/db/repo/confirmations';
import { findTask } from '@makima/db/repo/tasks';
import type { ConfirmationRow, ContractRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import type { Person } from '../principal.ts';
import { approve } from './change-phase.ts';
import { tellDecision } from './confirmation.ts';
import { contractNow, finishContract } from './finish.ts';
import { digestOf, gateOf, shownOf } from './gate.ts';
import { moveContract, syncWaiting } from './move.ts';
import { writeSettings } from './update.ts';

/**
 * `completing`: begin to complete; at once when the request for confirmation is open, else with the grace.
 * `completed`: no need to wait for the grace. The contract is completed when its clean-up is done.
 */
export async function confirmCompletion(
  a: Act,
  person: Person,
  contract: ContractRow,
  to: 'completing' | 'completed',
): Promise<void> {
  const open = await openConfirmation(a.tx, { contractId: contract.id });
  if (open?.kind === 'completion' && open.contractVersion === contract.version) {
    await approve(a, person, open, 'Approve');
    await finishContract(a, contract, { confirmed: true });
    return;
  }
  if (to === 'completed') await confirm(a, person, contract);
  await finishContract(a, contract, { confirmed: to === 'completed' });
}

async function confirm(a: Act, person: Person, contract: ContractRow): Promise<ConfirmationRow> {
  const { deliverables } = await gateOf(a.tx, contract);
  const asked = await insertConfirmation(a.tx, {
    ownerId: contract.ownerId,
    contractId: contract.id,
    kind: 'completion',
    fromPhase: contract.phase,
    toPhase: null,
    contractVersion: contract.version,
    digest: digestOf(contract, '', deliverables),
    shown: shownOf(deliverables),
    requestedBy: person.name,
  });
  const decided = await decideConfirmation(a.tx, {
    id: asked.id,
    state: 'approved',
    userId: person.userId,
    keyId: person.keyId,
    notes: null,
  });
  a.audit(
    'completion.confirm',
    'done',
    { kind: 'contract', id: contract.id },
    { version: contract.version },
  );
  return decided ?? asked;
}

/**
 * Back to work. From now on it asks before it completes: the gate is met as it was, and the next look at
 * the contract, which comes when something in it changes, would only come to the same end.
 */
export async function rejectCompletion(
  a: Act,
  contract: ContractRow,
  reason: string | undefined,
): Promise<void> {
  const supervisor =
    contract.supervisorTaskId === null
      ? undefined
      : await findTask(a.tx, { ownerId: a.ownerId, id: contract.supervisorTaskId });
  if (supervisor !== undefined && isTaskFinal(supervisor.status)) {
    throw new MakimaError(
      'INVALID_TRANSITION',
      'The clean-up has begun: its supervisor has ended.',
      {
        fix: 'let it complete, and create a contract for what is missing',
      },
    );
  }
  const row = await moveContract(a, contract, { to: 'active', reason });
  await writeSettings(a, row, { autoCompleteEnabled: false });
  // What was asked before it began to complete is still open.
  await syncWaiting(a, await contractNow(a, row.id));
  await tellDecision(
    a,
    await contractNow(a, row.id),
    'Is the contract complete?',
    `No${reason === undefined ? '' : `: ${reason}`}. The contract is active again.`,
  );
}
