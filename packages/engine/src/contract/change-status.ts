/**
 * A person changes a contract's status (M1.1): pause, resume, block, fail or cancel, complete, reject,
 * archive. The domain's table and conditions decide; what follows for its agents is done in the same
 * transaction.
 *
 * Law: a paused contract starts nothing: its row is held while its tasks are stopped, and whoever spawns or
 * places looks at that row.
 */
import type { ResponseOf } from '@makima/contracts/http/endpoint';
import type { changeStatus as endpoint } from '@makima/contracts/http/contracts';
import {
  cancelledReason,
  checkContractTransition,
  type ContractFacts,
  type ContractStatus,
} from '@makima/domain/contract';
import { isTerminalPhase } from '@makima/domain/contract-type';
import { MakimaError } from '@makima/domain/error';
import { openConfirmation } from '@makima/db/repo/confirmations';
import { touchContract } from '@makima/db/repo/contracts';
import { openQuestionsOf } from '@makima/db/repo/questions';
import { findTask } from '@makima/db/repo/tasks';
import type { ContractRow } from '@makima/db/rows';
import { lockedContract, requirePerson } from '../authorize.ts';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import type { Person } from '../principal.ts';
import { blockSupervisor } from '../supervisor/block.ts';
import { confirmCompletion, rejectCompletion } from './completion.ts';
import { failContract } from './fail.ts';
import { contractNow } from './finish.ts';
import { gateOf } from './gate.ts';
import { moveContract, syncWaiting } from './move.ts';
import { nextStep } from './next-step.ts';
import { type Pause, pauseTasks, resumeTasks } from './pause.ts';

export interface StatusInput {
  readonly id: string;
  readonly targetStatus: ContractStatus;
  readonly reason?: string | undefined;
  readonly blocker?: string | undefined;
  /** Of a pause: agents may end their turns first, within so long. */
  readonly finishTurnSeconds?: number | undefined;
  /** Only if it is in this status: for who decided by an earlier look. */
  readonly onlyFrom?: ContractStatus | undefined;
}

/** Where nobody brings a contract while the flag `enhanced_contract_status` is off. */
const enhanced: ReadonlySet<ContractStatus> = new Set(['paused', 'blocked', 'waiting_for_input']);

export type StatusChange = ResponseOf<typeof endpoint>;

/** @throws INVALID_TRANSITION with `rejectionReason` when the table or a condition says no. */
export function changeStatus(
  engine: Engine,
  call: Call,
  input: StatusInput,
): Promise<Acted<StatusChange>> {
  return act(engine, call, async (a) => {
    const person = requirePerson(a.caller, 'change the status of contracts');
    const contract = await lockedContract(a.tx, a.caller, input.id, 'update');
    if ((input.onlyFrom ?? contract.status) !== contract.status)
      throw rejected(contract, input.targetStatus, `it is ${contract.status} by now`);
    if (enhanced.has(input.targetStatus) && !engine.settings.features.enhancedContractStatus)
      throw rejected(contract, input.targetStatus, 'the flag enhanced_contract_status is off');
    if (await isHurried(a, person, contract, input)) return unchanged(contract);
    const verdict = checkContractTransition(
      contract.status,
      input.targetStatus,
      await factsOf(a, contract, input),
    );
    if (!verdict.ok) throw rejected(contract, input.targetStatus, verdict.reason);
    await carryOut(a, person, contract, input);
    await touchContract(a.tx, { contractId: contract.id, progress: 'yes' });
    const row = await contractNow(a, contract.id);
    return {
      success: true,
      previousStatus: contract.status,
      newStatus: row.status,
      rejectionReason: null,
    };
  });
}

/** Paused already, its agents ending their turns: asked to pause at once, these are stopped now. */
async function isHurried(
  a: Act,
  person: Person,
  contract: ContractRow,
  input: StatusInput,
): Promise<boolean> {
  if (contract.status !== 'paused' || input.targetStatus !== 'paused') return false;
  if (input.finishTurnSeconds !== undefined) return false;
  return (await pauseTasks(a, contract, pauseOf(person, input))) > 0;
}

function pauseOf(person: Person, { reason, finishTurnSeconds }: StatusInput): Pause {
  return {
    words: reason ?? `${person.name} paused the contract`,
    why: 'pause',
    finishTurnMs: finishTurnSeconds === undefined ? undefined : finishTurnSeconds * 1_000,
  };
}

const unchanged = ({ status }: ContractRow): StatusChange => ({
  success: true,
  previousStatus: status,
  newStatus: status,
  rejectionReason: null,
});

async function factsOf(a: Act, contract: ContractRow, input: StatusInput): Promise<ContractFacts> {
  const about = { ownerId: a.ownerId, contractId: contract.id };
  const [open, confirmation, gate] = await Promise.all([
    openQuestionsOf(a.tx, about),
    openConfirmation(a.tx, { contractId: contract.id }),
    gateOf(a.tx, contract),
  ]);
  return {
    by: 'person',
    hasSupervisorTask: contract.supervisorTaskId !== null,
    openQuestions: open.filter((q) => !q.nonBlocking && q.confirmationId === null).length,
    openConfirmation:
      confirmation === undefined
        ? undefined
        : confirmation.kind === 'completion'
          ? 'completion_confirmation'
          : 'phase_confirmation',
    blocker: input.blocker ?? input.reason ?? undefined,
    terminalPhase: isTerminalPhase(contract.contractType, contract.phase),
    gateMet: gate.readiness.ready,
    completionConfirmed: true,
  };
}

async function carryOut(
  a: Act,
  person: Person,
  contract: ContractRow,
  input: StatusInput,
): Promise<void> {
  const { reason } = input;
  switch (input.targetStatus) {
    case 'paused': {
      await moveContract(a, contract, { to: 'paused', reason });
      await pauseTasks(a, contract, pauseOf(person, input));
      return;
    }
    case 'active': {
      if (contract.status === 'completing') return rejectCompletion(a, contract, reason);
      const row = await moveContract(a, contract, { to: 'active', reason });
      if (contract.status === 'paused' || contract.status === 'blocked')
        await resumeTasks(a, row, `${person.name} resumed the contract`);
      await syncWaiting(a, row);
      return;
    }
    case 'blocked': {
      const blockedReason = input.blocker ?? reason ?? '';
      const row = await moveContract(a, contract, { to: 'blocked', blockedReason });
      return blockLead(a, row, blockedReason);
    }
    case 'failed': {
      await failContract(a, contract, reason ?? cancelledReason);
      return;
    }
    case 'completing':
    case 'completed':
      return confirmCompletion(a, person, contract, input.targetStatus);
    case 'archived': {
      const row = await moveContract(a, contract, { to: 'archived', reason });
      const fence = `archived-${row.version}`;
      a.mail('clean-contract', { contractId: row.id }, { entityId: row.id, fence });
      return;
    }
    case 'waiting_for_input': {
      await syncWaiting(a, contract);
      return;
    }
    case 'created':
      return;
  }
}

async function blockLead(a: Act, contract: ContractRow, why: string): Promise<void> {
  if (contract.supervisorTaskId === null) return;
  const lead = await findTask(a.tx, { ownerId: a.ownerId, id: contract.supervisorTaskId });
  if (lead !== undefined) await blockSupervisor(a, lead, why);
}

function rejected(contract: ContractRow, to: ContractStatus, reason: string): MakimaError {
  return new MakimaError('INVALID_TRANSITION', reason, {
    details: {
      previousStatus: contract.status,
      newStatus: contract.status,
      targetStatus: to,
      rejectionReason: reason,
    },
    fix: nextStep(contract),
  });
}
