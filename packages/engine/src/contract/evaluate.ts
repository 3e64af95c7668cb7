/**
 * Look at a contract after something in it changed (job `evaluate-contract`): gate met → advance by itself,
 * or ask when guarded; gate of the last phase met → completing, or ask when the contract does not complete
 * by itself.
 *
 * Law: runs any number of times; what is done already is seen in the rows.
 */
import { holdsCompletion } from '@makima/domain/question';
import { isTerminalPhase, nextPhase } from '@makima/domain/contract-type';
import { wasSentBack } from '@makima/db/repo/confirmations';
import { lockContract } from '@makima/db/repo/contracts';
import { readyTold } from '@makima/db/repo/events';
import { openQuestionsOf } from '@makima/db/repo/questions';
import { findTask, tasksOfContract } from '@makima/db/repo/tasks';
import { isTaskFinal } from '@makima/domain/task';
import type { ContractRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Engine } from '../context.ts';
import type { System } from '../principal.ts';
import { decide } from './change-phase.ts';
import { requestConfirmation } from './confirmation.ts';
import { lookAtBudgets } from '../budget/look.ts';
import { failContract } from './fail.ts';
import { contractNow, finishContract } from './finish.ts';
import { mailWake } from '../supervisor/mail-wake.ts';
import { measureProgress } from '../supervisor/measure-progress.ts';
import { nudgeIdle } from '../supervisor/nudge.ts';
import { newsOf } from '../supervisor/wake.ts';
import { advancesByItself, completesByItself } from './phase-readiness.ts';
import { digestOf, gateOf, type Gate } from './gate.ts';
import { standsReady, standsReadyNoMore } from './ready.ts';
import { validateIfDue } from './validator.ts';
import { withdrawOrphaned } from './withdraw-questions.ts';

export type Evaluation =
  | 'nothing'
  | 'validating'
  | 'advanced'
  | 'asked'
  | 'completing'
  | 'failed'
  | 'nudged';

export function evaluateContract(
  engine: Engine,
  caller: System,
  input: { contractId: string },
): Promise<Acted<Evaluation>> {
  return act(engine, { caller }, async (a) => {
    const locked = await lockContract(a.tx, {
      ownerId: a.ownerId,
      id: input.contractId,
      strength: 'update',
    });
    if (locked === undefined) return 'nothing';
    if (locked.status !== 'active' && locked.status !== 'waiting_for_input') {
      await lookAtBudgets(a, locked);
      return 'nothing';
    }
    // Here and not where a task ends: a contract is locked before its questions.
    const contract = await withdrawOrphaned(a, locked);
    const found = await look(a, contract);
    // What it ends with is not asked about.
    await lookAtBudgets(a, await contractNow(a, contract.id));
    // Last: what was asked of a person just now is something to wait for.
    await wakeIfDue(a, contract);
    if (found !== 'failed') await measureProgress(a, await contractNow(a, contract.id));
    return found;
  });
}

async function look(a: Act, contract: ContractRow): Promise<Evaluation> {
  const gate = await gateOf(a.tx, contract);
  if (await leaderless(a, contract, gate)) return 'failed';
  const { ready, missing, noGate } = gate.readiness;
  const to = nextPhase(contract.contractType, contract.phase);
  const byItself = advancesByItself(a.engine, contract);
  await (ready && !noGate && to !== undefined && !byItself ? standsReady : standsReadyNoMore)(
    a,
    contract,
  );
  if (!ready) {
    const due = { missing, validation: gate.validation };
    if (await validateIfDue(a, contract, due, { again: false })) return 'validating';
    return (await nudgeIdle(a, contract, missing)) ? 'nudged' : 'nothing';
  }
  if (isTerminalPhase(contract.contractType, contract.phase)) return terminal(a, contract, gate);
  if (to === undefined || noGate) return 'nothing';
  await tellReady(a, contract, { byItself });
  if (!byItself) {
    return (await nudgeIdle(a, contract, [])) ? 'nudged' : 'nothing';
  }
  if (contract.guardedPhases.includes(contract.phase)) {
    return askAgain(a, contract, to, gate);
  }
  const outcome = await decide(a, contract, { phase: to }, gate, undefined);
  return outcome.outcome === 'success' ? 'advanced' : 'nothing';
}

/** A parked supervisor whose question was withdrawn, or whose ticket was lost. */
async function wakeIfDue(a: Act, contract: ContractRow): Promise<void> {
  if (contract.supervisorTaskId === null) return;
  const task = await findTask(a.tx, { ownerId: a.ownerId, id: contract.supervisorTaskId });
  if (task?.session !== 'parked') return;
  const news = await newsOf(a, task);
  if (news !== undefined && news.reason !== null) mailWake(a, task);
}

/** The gate is met: told once for each version of the contract; its owner's phone, if nothing follows by itself. */
async function tellReady(
  a: Act,
  contract: ContractRow,
  next: { readonly byItself: boolean },
): Promise<void> {
  const { version, phase } = contract;
  if (await readyTold(a.tx, { contractId: contract.id, version })) return;
  a.emit('contract.ready', { contractId: contract.id, data: { phase, version, ...next } });
}

/** What a person has sent back is not asked of them again until what it shows has changed. */
async function askAgain(
  a: Act,
  contract: ContractRow,
  to: string | null,
  gate: Gate,
): Promise<Evaluation> {
  const { id: contractId, version } = contract;
  const digest = digestOf(contract, to ?? '', gate.deliverables);
  if (await wasSentBack(a.tx, { contractId, version, digest })) {
    return (await nudgeIdle(a, contract, [])) ? 'nudged' : 'nothing';
  }
  await requestConfirmation(a, contract, to);
  return 'asked';
}

async function terminal(a: Act, contract: ContractRow, gate: Gate): Promise<Evaluation> {
  const open = await openQuestionsOf(a.tx, { ownerId: a.ownerId, contractId: contract.id });
  if (open.some(holdsCompletion)) return 'nothing';
  const tasks = await tasksOfContract(a.tx, { ownerId: a.ownerId, contractId: contract.id });
  if (tasks.some((task) => !task.isSupervisor && !isTaskFinal(task.status))) return 'nothing';
  // It completes, or a person is asked.
  await tellReady(a, contract, { byItself: true });
  if (!completesByItself(a.engine, contract)) {
    return askAgain(a, contract, null, gate);
  }
  await finishContract(a, contract, { confirmed: false });
  return 'completing';
}

/** A contract whose supervisor failed, was cancelled, or left before the end has nobody to lead it. */
async function leaderless(a: Act, contract: ContractRow, gate: Gate): Promise<boolean> {
  if (contract.supervisorTaskId === null) return false;
  const supervisor = await findTask(a.tx, { ownerId: a.ownerId, id: contract.supervisorTaskId });
  if (supervisor === undefined || !isTaskFinal(supervisor.status)) return false;
  // What it left may be enough, or a person is looking at it.
  if (supervisor.status === 'done' && (gate.readiness.ready || contract.waitingFor !== null))
    return false;
  const said = supervisor.errorMessage ?? supervisor.outputSummary ?? 'no reason given';
  const reason = `the supervisor ${supervisor.status === 'done' ? 'ended too early' : `is ${supervisor.status}`}: ${said.slice(0, 1_000)}`;
  await failContract(a, contract, reason);
  return true;
}
