/**
 * Leave a phase (M1.5, M1.6): five answers, and the guard as a security boundary. A supervisor's credential
 * cannot pass it; asking opens the request for a person's confirmation in the same transaction. A person
 * confirms what they were shown: contract version, phases, deliverables.
 *
 * Law: the guard's outcome is a value, not an exception: the request that it opened must be committed.
 */
import { decidePhaseChange, type PhaseDecision } from '@makima/domain/phase-change';
import { nextPhase } from '@makima/domain/contract-type';
import { mayWork } from '@makima/domain/contract';
import { MakimaError } from '@makima/domain/error';
import {
  closeConfirmation,
  decideConfirmation,
  findConfirmation,
  openConfirmation,
  questionOfConfirmation,
} from '@makima/db/repo/confirmations';
import { recordPhaseChange, setContractPhase, touchContract } from '@makima/db/repo/contracts';
import { answerRow } from '@makima/db/repo/questions';
import { findTask } from '@makima/db/repo/tasks';
import type { ConfirmationRow, ContractRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import type { Person } from '../principal.ts';
import { lockedContract, requireLead } from '../authorize.ts';
import { channels } from '@makima/contracts/channels';
import { deliver } from '../question/deliver.ts';
import { askerGoesOn } from '../question/settle.ts';
import { requestConfirmation, tellDecision, voidIfChanged } from './confirmation.ts';
import { contractNow } from './finish.ts';
import { digestOf, gateOf, type Gate } from './gate.ts';
import { goOnAnswered } from './input-timeout.ts';
import { syncWaiting } from './move.ts';
import { standsReadyNoMore } from './ready.ts';
import { validateIfDue, validatorSeen } from './validator.ts';
import { mailSave } from '../save-point.ts';
import { measureProgress } from '../supervisor/measure-progress.ts';
import { nextStep } from './next-step.ts';

export interface PhaseInput {
  readonly id: string;
  readonly phase: string;
  readonly expectedVersion?: number | undefined;
  readonly confirmed?: boolean | undefined;
  readonly confirmationId?: string | undefined;
  readonly force?: boolean | undefined;
}

export type PhaseOutcome =
  | {
      readonly outcome: 'success';
      readonly success: true;
      readonly contractId: string;
      readonly previousPhase: string;
      readonly phase: string;
      readonly version: number;
    }
  | {
      readonly outcome: 'version_conflict';
      readonly expected: number;
      readonly actual: number;
      readonly currentPhase: string;
    }
  | {
      readonly outcome: 'validation_failed';
      readonly missing: readonly { kind: string; id: string; reason: string }[];
    }
  | {
      readonly outcome: 'guard_required';
      readonly confirmationId: string;
      readonly questionId: string;
      readonly from: string;
      readonly to: string;
      readonly version: number;
      readonly deliverables: readonly Record<string, unknown>[];
      readonly voided: string | null;
    }
  | { readonly outcome: 'forbidden'; readonly reason: string };

export function changePhase(
  engine: Engine,
  call: Call,
  input: PhaseInput,
): Promise<Acted<PhaseOutcome>> {
  return act(engine, call, async (a) => {
    const held = await lockedContract(a.tx, a.caller, input.id, 'update');
    await requireLead(a, held.id, 'change phases');
    const contract =
      a.caller.kind === 'person' && confirms(input) ? await goOnAnswered(a, held, a.caller) : held;
    if (!mayWork(contract.status)) {
      throw new MakimaError(
        'INVALID_TRANSITION',
        `a contract that is ${contract.status} changes no phase`,
        { details: { status: contract.status }, fix: nextStep(contract) },
      );
    }
    const seen = input.expectedVersion ?? contract.version;
    if (a.caller.kind === 'agent' && input.phase === contract.phase && seen === contract.version) {
      // The control plane, or the answer to an earlier request, was faster: it stands where it wants to be.
      return standing(contract);
    }
    const gate = await validatedGate(a, contract);
    if (a.caller.kind !== 'person' && confirms(input)) {
      a.audit(
        'phase.confirm',
        'refused',
        { kind: 'contract', id: contract.id },
        { phase: input.phase },
      );
      a.emit('contract.guard_refused', {
        contractId: contract.id,
        data: { phase: contract.phase, by: a.caller.kind },
      });
      return {
        outcome: 'forbidden',
        reason: 'only a person’s key can confirm that a guarded phase is left',
      };
    }
    const confirmation =
      a.caller.kind === 'person' && confirms(input)
        ? await confirmAsPerson(a, a.caller, contract, input, gate)
        : undefined;
    const outcome = await decide(a, contract, input, gate, confirmation);
    if (contract !== held) await syncWaiting(a, await contractNow(a, contract.id));
    return outcome;
  });
}

function confirms(input: PhaseInput): boolean {
  return input.confirmed === true || input.confirmationId !== undefined;
}

/** When only the validator's yes is missing, asking to leave the phase has it run, again if need be. */
async function validatedGate(a: Act, contract: ContractRow): Promise<Gate> {
  const gate = await gateOf(a.tx, contract);
  const { validation, readiness } = gate;
  const due = { missing: readiness.missing, validation };
  if (await validateIfDue(a, contract, due, { again: true })) return gateOf(a.tx, contract);
  await validatorSeen(a, validation);
  return gate;
}

function standing(contract: ContractRow): PhaseOutcome {
  const { id: contractId, phase, version } = contract;
  return { outcome: 'success', success: true, contractId, previousPhase: phase, phase, version };
}

/** A person's `confirmed` on the spot: the request is opened if none is, then approved by that person. */
async function confirmAsPerson(
  a: Act,
  person: Person,
  contract: ContractRow,
  input: PhaseInput,
  gate: Gate,
): Promise<ConfirmationRow | undefined> {
  if (person.role === 'viewer' || !contract.guardedPhases.includes(contract.phase))
    return undefined;
  if (input.phase !== nextPhase(contract.contractType, contract.phase)) return undefined;
  if (input.expectedVersion !== undefined && input.expectedVersion !== contract.version)
    return undefined;
  if (!gate.readiness.ready && input.force !== true) return undefined;
  const wanted =
    input.confirmationId === undefined
      ? undefined
      : await findConfirmation(a.tx, { ownerId: a.ownerId, id: input.confirmationId });
  if (
    input.confirmationId !== undefined &&
    (wanted === undefined || wanted.contractId !== contract.id)
  ) {
    throw new MakimaError('NOT_FOUND', `there is no confirmation ${input.confirmationId}`);
  }
  const open = wanted ?? (await openConfirmation(a.tx, { contractId: contract.id }));
  const present =
    open !== undefined &&
    open.state === 'open' &&
    open.contractVersion === contract.version &&
    open.toPhase === input.phase &&
    open.digest === digestOf(contract, input.phase, gate.deliverables);
  if (input.confirmationId !== undefined && !present) {
    throw new MakimaError(
      'CONFIRMATION_VOID',
      'what this confirmation showed has changed, or it was decided already',
      {
        fix: 'look at the contract again and confirm what it shows now',
        details: {
          confirmationId: input.confirmationId,
          state: wanted?.state,
          version: contract.version,
        },
      },
    );
  }
  const request =
    present && open !== undefined
      ? open
      : (await requestConfirmation(a, contract, input.phase)).confirmation;
  return approve(a, person, request, 'Approve');
}

/** The person's yes, and the answer of the question through which it was shown. */
export async function approve(
  a: Act,
  person: Person,
  confirmation: ConfirmationRow,
  words: string,
): Promise<ConfirmationRow | undefined> {
  const row = await decideConfirmation(a.tx, {
    id: confirmation.id,
    state: 'approved',
    userId: person.userId,
    keyId: person.keyId,
    notes: null,
  });
  const question = await questionOfConfirmation(a.tx, { confirmationId: confirmation.id });
  if (question !== undefined) {
    const answered = await answerRow(a.tx, {
      id: question.id,
      response: words,
      userId: person.userId,
      by: person.name,
    });
    if (answered !== undefined) {
      a.hint(channels.questionDone(question.id));
      a.emit('question.answered', {
        contractId: confirmation.contractId,
        taskId: answered.taskId,
        data: { questionId: answered.id, response: words, by: person.name },
      });
      const to = confirmation.toPhase;
      const consequence = to === null ? 'The contract completes' : `The contract is now in ${to}`;
      await deliver(a, answered, { consequence });
      await askerGoesOn(a, answered);
    }
  }
  a.audit(
    'phase.confirm',
    'done',
    { kind: 'contract', id: confirmation.contractId },
    {
      from: confirmation.fromPhase,
      to: confirmation.toPhase,
      version: confirmation.contractVersion,
    },
  );
  return row;
}

/** Decide by the domain's rule, then write. Also the way of an answer in the inbox. */
export async function decide(
  a: Act,
  contract: ContractRow,
  input: Pick<PhaseInput, 'phase' | 'expectedVersion' | 'force'>,
  gate: Gate,
  confirmation: ConfirmationRow | undefined,
): Promise<PhaseOutcome> {
  const guarded = contract.guardedPhases.includes(contract.phase);
  const digest = digestOf(contract, input.phase, gate.deliverables);
  const decision = decidePhaseChange({
    type: contract.contractType,
    current: contract.phase,
    target: input.phase,
    version: contract.version,
    expectedVersion: input.expectedVersion,
    guarded,
    confirmation:
      confirmation === undefined
        ? undefined
        : {
            by: 'person',
            version: confirmation.contractVersion,
            from: confirmation.fromPhase,
            to: confirmation.toPhase ?? '',
            digest: confirmation.digest,
          },
    digest,
    readiness: gate.readiness,
    by: a.caller.kind === 'daemon' ? 'system' : a.caller.kind,
    force: input.force,
  });
  if (decision.kind !== 'success') return refuse(a, contract, input.phase, decision);
  return advance(a, contract, decision.to, guarded, confirmation);
}

async function refuse(
  a: Act,
  contract: ContractRow,
  phase: string,
  decision: Exclude<PhaseDecision, { kind: 'success' }>,
): Promise<PhaseOutcome> {
  switch (decision.kind) {
    case 'version_conflict':
      return {
        outcome: 'version_conflict',
        expected: decision.expected,
        actual: decision.actual,
        currentPhase: decision.currentPhase,
      };
    case 'validation_failed':
      return { outcome: 'validation_failed', missing: decision.missing.map(presentMissing) };
    case 'unauthorized':
      return { outcome: 'forbidden', reason: decision.reason };
    case 'guard_required': {
      const { confirmation, questionId } = await requestConfirmation(a, contract, phase);
      return {
        outcome: 'guard_required',
        confirmationId: confirmation.id,
        questionId,
        from: decision.from,
        to: decision.to,
        version: decision.version,
        deliverables: confirmation.shown,
        voided: decision.voided,
      };
    }
  }
}

export function presentMissing(item: {
  kind: string;
  id?: string;
  name?: string | null;
  sentence: string;
}): { kind: string; id: string; reason: string } {
  return { kind: item.kind, id: item.id ?? item.name ?? item.kind, reason: item.sentence };
}

async function advance(
  a: Act,
  contract: ContractRow,
  to: string,
  guarded: boolean,
  confirmation: ConfirmationRow | undefined,
): Promise<PhaseOutcome> {
  const row = await setContractPhase(a.tx, {
    ownerId: a.ownerId,
    id: contract.id,
    version: contract.version,
    phase: to,
  });
  if (row === undefined)
    throw new MakimaError('CONFLICT', 'the contract changed meanwhile', { retryable: true });
  await recordPhaseChange(a.tx, {
    ownerId: a.ownerId,
    contractId: contract.id,
    fromPhase: contract.phase,
    toPhase: to,
    version: row.version,
    guarded,
    confirmationId: guarded ? (confirmation?.id ?? null) : null,
    byKind: a.caller.kind,
    byId: 'userId' in a.caller ? a.caller.userId : 'taskId' in a.caller ? a.caller.taskId : null,
  });
  if (confirmation !== undefined)
    await closeConfirmation(a.tx, { id: confirmation.id, state: 'used' });
  a.emit('contract.phase_changed', {
    contractId: contract.id,
    data: {
      from: contract.phase,
      to,
      version: row.version,
      guarded,
      confirmationId: confirmation?.id ?? null,
    },
  });
  await standsReadyNoMore(a, contract);
  await touchContract(a.tx, { contractId: contract.id, progress: 'yes' });
  const present = await contractNow(a, contract.id);
  await measureProgress(a, present);
  // A request that showed the phase that was left, guarded or not, can be answered by nobody any more.
  await voidIfChanged(a, present);
  await syncWaiting(a, await contractNow(a, contract.id));
  // Whoever asked for a confirmation hears the answer to it; an agent that advances itself knows.
  if (confirmation === undefined && a.caller.kind !== 'agent') {
    await tellDecision(
      a,
      contract,
      `May the contract go from ${contract.phase} to ${to}?`,
      `Done: the contract is now in ${to}.`,
    );
  }
  if (contract.supervisorTaskId !== null) {
    const lead = await findTask(a.tx, { ownerId: a.ownerId, id: contract.supervisorTaskId });
    if (lead !== undefined) mailSave(a, lead);
  }
  a.mail(
    'evaluate-contract',
    { contractId: contract.id },
    { entityId: contract.id, fence: `v${row.version}` },
  );
  return {
    outcome: 'success',
    success: true,
    contractId: contract.id,
    previousPhase: contract.phase,
    phase: to,
    version: row.version,
  };
}
