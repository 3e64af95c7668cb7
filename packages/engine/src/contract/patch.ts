/** Name, goal and settings of a contract, changed by a person who names the version that they saw. */
import type { z } from 'zod';
import type { ContractDetail, zContractPatch } from '@makima/contracts/entity/contract';
import { isTerminal } from '@makima/domain/contract';
import { withoutValidator, type ContractType } from '@makima/domain/contract-type';
import { MakimaError } from '@makima/domain/error';
import { setContractBudgetState } from '@makima/db/repo/budgets';
import type { ContractRow } from '@makima/db/rows';
import { lockedContract, requirePerson } from '../authorize.ts';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { sendMessage } from '../message/send.ts';
import { budgetColumns } from '../budget/decide.ts';
import { lookAtBudgets } from '../budget/look.ts';
import { chosenGuards } from './create.ts';
import { contractDetail } from './get.ts';
import { updateContract } from './update.ts';
import { hasValidator } from './validator.ts';

export type ContractPatch = z.output<typeof zContractPatch> & { readonly id: string };

/** @throws VERSION_CONFLICT with expected and actual. */
export function patchContract(
  engine: Engine,
  call: Call,
  input: ContractPatch,
): Promise<Acted<ContractDetail>> {
  return act(engine, call, async (a) => {
    requirePerson(a.caller, 'change contracts');
    const contract = await lockedContract(a.tx, a.caller, input.id, 'update');
    checkVersion(contract, input.expectedVersion);
    const { id: _, expectedVersion: __, phaseGuard, budget, skipValidator, ...plain } = input;
    if (phaseGuard !== undefined && isTerminal(contract.status)) {
      throw new MakimaError(
        'INVALID_TRANSITION',
        `a contract that is ${contract.status} leaves no more phases`,
      );
    }
    const written = await updateContract(a, contract, {
      ...plain,
      ...(skipValidator === undefined ? {} : { contractType: typeWithout(a, contract) }),
      ...(budget === undefined ? {} : budgetColumns(budget ?? noBudget)),
      ...(phaseGuard === undefined
        ? {}
        : { guardedPhases: [...chosenGuards(contract.contractType, phaseGuard)] }),
    });
    const row = budget === undefined ? written : await budgetChanged(a, contract, written);
    if (row.description !== contract.description) await tellGoal(a, row);
    return contractDetail(engine, a.tx, row);
  });
}

/** Its own copy of the type: what other contracts are made of stays. */
function typeWithout(a: Act, contract: ContractRow): ContractType {
  const { contractType, phase } = contract;
  if (!hasValidator(contract)) {
    throw new MakimaError('INVALID_TRANSITION', `phase ${phase} of it has no validator`, {
      fix: `see what it waits for: makima why ${contract.slug}`,
    });
  }
  a.audit('validator.skip', 'done', { kind: 'contract', id: contract.id }, { phase });
  return withoutValidator(contractType, phase);
}

const noBudget = { tokens: null, costMicros: null };

/** Another budget is the last word: that the former one could be passed once counts no more. */
async function budgetChanged(a: Act, before: ContractRow, row: ContractRow): Promise<ContractRow> {
  const isSame =
    before.budgetTokens === row.budgetTokens && before.budgetCostMicros === row.budgetCostMicros;
  if (isSame) return lookAtBudgets(a, row);
  const { ownerId, id } = row;
  const set = { budgetGraceTokens: null, budgetGraceCostMicros: null };
  return lookAtBudgets(a, await setContractBudgetState(a.tx, { ownerId, id, set }));
}

function checkVersion(contract: ContractRow, expected: number | undefined): void {
  if (expected === undefined || expected === contract.version) return;
  throw new MakimaError('VERSION_CONFLICT', 'the contract changed since you read it', {
    details: { expected, actual: contract.version, currentPhase: contract.phase },
    fix: 'read the contract again and decide anew',
  });
}

/** Its supervisor works on what it was told at first: it hears of another goal. */
async function tellGoal(a: Act, contract: ContractRow): Promise<void> {
  if (contract.supervisorTaskId === null || isTerminal(contract.status)) return;
  await sendMessage(a, {
    taskId: contract.supervisorTaskId,
    text: `[Goal changed] ${a.caller.name} changed the goal of the contract. It now reads:\n${contract.description}`,
    mode: 'queue',
    source: 'person',
    sourceId: null,
  });
}
