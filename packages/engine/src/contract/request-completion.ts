/**
 * Whoever leads a contract says that it is complete: it begins to complete when nothing is missing, or the
 * request for a person's confirmation is opened where one is needed.
 *
 * Law: a supervisor's word completes nothing that the gate does not allow, and never passes a person's gate.
 */
import { mayWork, type ContractStatus } from '@makima/domain/contract';
import { MakimaError } from '@makima/domain/error';
import type { ContractRow } from '@makima/db/rows';
import { lockedContract, requireLead } from '../authorize.ts';
import { act, type Acted, type Call, type Engine } from '../context.ts';
import { missingForCompletion } from './check-completion.ts';
import { requestConfirmation } from './confirmation.ts';
import { finishContract } from './finish.ts';
import { completesByItself } from './phase-readiness.ts';
import { withdrawOrphaned } from './withdraw-questions.ts';
import { nextStep } from './next-step.ts';

export type CompletionOutcome =
  | {
      readonly outcome: 'success';
      readonly success: true;
      readonly contractId: string;
      readonly status: ContractStatus;
      readonly phase: string;
      readonly version: number;
    }
  | { readonly outcome: 'validation_failed'; readonly missing: readonly string[] }
  | {
      readonly outcome: 'guard_required';
      readonly confirmationId: string;
      readonly questionId: string;
      readonly from: string;
      readonly version: number;
    };

export function requestCompletion(
  engine: Engine,
  call: Call,
  input: { id: string },
): Promise<Acted<CompletionOutcome>> {
  return act(engine, call, async (a) => {
    const locked = await lockedContract(a.tx, a.caller, input.id, 'update');
    await requireLead(a, locked.id, 'complete contracts');
    // The control plane, or an earlier call, was faster.
    if (locked.status === 'completing' || locked.status === 'completed') return standing(locked);
    if (!mayWork(locked.status)) {
      throw new MakimaError(
        'INVALID_TRANSITION',
        `a contract that is ${locked.status} does not complete`,
        { details: { status: locked.status }, fix: nextStep(locked) },
      );
    }
    const contract = await withdrawOrphaned(a, locked);
    const missing = await missingForCompletion(a.tx, contract);
    if (missing.length > 0) return { outcome: 'validation_failed', missing };
    if (completesByItself(engine, contract))
      return standing(await finishContract(a, contract, { confirmed: false }));
    const { confirmation, questionId } = await requestConfirmation(a, contract, null);
    return {
      outcome: 'guard_required',
      confirmationId: confirmation.id,
      questionId,
      from: contract.phase,
      version: contract.version,
    };
  });
}

function standing({ id, status, phase, version }: ContractRow): CompletionOutcome {
  return { outcome: 'success', success: true, contractId: id, status, phase, version };
}
