/**
 * Look at a contract after something in it changed (job `evaluate-contract`): gate met → advance by itself,
 * or ask when guarded; gate of the last phase met → completing, or ask when the contract does not complete
 * by itself.
 *
 * Law: runs any number of times; what is done already is seen in the rows.
 */
import { isTerminalPhase, nextPhase } from '@makima/domain/contract-type';
import { lockContract } from '@makima/db/repo/contracts';
import { openQuestionsOf } from '@makima/db/repo/questions';
import { tasksOfContract } from '@makima/db/repo/tasks';
import { isTaskFinal } from '@makima/domain/task';
import type { ContractRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Engine } from '../context.ts';
import type { System } from '../principal.ts';
import { decide } from './change-phase.ts';
import { requestConfirmation } from './confirmation.ts';
import { failContract } from './fail.ts';
import { finishContract } from './finish.ts';
import { gateOf } from './gate.ts';

export type Evaluation = 'nothing' | 'advanced' | 'asked' | 'completing' | 'failed';

export function evaluateContract(
  engine: Engine,
  caller: System,
  input: { contractId: string },
): Promise<Acted<Evaluation>> {
  return act(engine, { caller }, async (a) => {
    const contract = await lockContract(a.tx, {
      ownerId: a.ownerId,
      id: input.contractId,
      strength: 'update',
    });
    if (
      contract === undefined ||
      (contract.status !== 'active' && contract.status !== 'waiting_for_input')
    )
      return 'nothing';
    if (await supervisorFailed(a, contract)) return 'failed';
    const gate = await gateOf(a.tx, contract);
    if (!gate.readiness.ready) return 'nothing';
    if (isTerminalPhase(contract.contractType, contract.phase)) return terminal(a, contract);
    const to = nextPhase(contract.contractType, contract.phase);
    if (
      to === undefined ||
      gate.readiness.noGate ||
      !engine.settings.autoAdvancePhases ||
      !contract.autoCompleteEnabled
    )
      return 'nothing';
    if (contract.guardedPhases.includes(contract.phase)) {
      await requestConfirmation(a, contract, to);
      return 'asked';
    }
    const outcome = await decide(a, contract, { phase: to }, gate, undefined);
    return outcome.outcome === 'success' ? 'advanced' : 'nothing';
  });
}

async function terminal(a: Act, contract: ContractRow): Promise<Evaluation> {
  const open = await openQuestionsOf(a.tx, { ownerId: a.ownerId, contractId: contract.id });
  if (open.some((q) => !q.nonBlocking && q.questionType === 'general')) return 'nothing';
  const tasks = await tasksOfContract(a.tx, { ownerId: a.ownerId, contractId: contract.id });
  if (tasks.some((task) => !task.isSupervisor && !isTaskFinal(task.status))) return 'nothing';
  a.emit('contract.ready', { contractId: contract.id, data: { phase: contract.phase } });
  if (!contract.autoCompleteEnabled || contract.guardedPhases.includes(contract.phase)) {
    await requestConfirmation(a, contract, null);
    return 'asked';
  }
  await finishContract(a, contract, { confirmed: false });
  return 'completing';
}

/** A contract whose supervisor failed by its own word has nobody to lead it. */
async function supervisorFailed(a: Act, contract: ContractRow): Promise<boolean> {
  const tasks = await tasksOfContract(a.tx, { ownerId: a.ownerId, contractId: contract.id });
  const supervisor = tasks.find((task) => task.isSupervisor);
  if (supervisor?.status !== 'failed') return false;
  const reason = `the supervisor failed: ${supervisor.errorMessage ?? 'no reason given'}`;
  await failContract(a, contract, reason);
  return true;
}
