/**
 * A person's decision about a budget that is used up: raise it, go on once, or stop.
 *
 * Law: an answer that would leave it used up is refused, so that nobody believes that they decided.
 */
import {
  type Budget,
  type BudgetChoice,
  budgetLevel,
  budgetOf,
  budgetWords,
  graceOf,
  limitsOf,
  raised,
  readBudgetChoice,
} from '@makima/domain/budget';
import { cancelledReason } from '@makima/domain/contract';
import { MakimaError } from '@makima/domain/error';
import { isTaskFinal } from '@makima/domain/task';
import type { Spent } from '@makima/domain/usage';
import { setContractBudgetState, setTaskBudget } from '@makima/db/repo/budgets';
import type { ContractRow, TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { failContract } from '../contract/fail.ts';
import { writeSettings } from '../contract/update.ts';
import type { Person } from '../principal.ts';
import { stopTask } from '../task/cancel.ts';
import { lookAtBudgets, spentOf } from './look.ts';

/** What the question is about, held by the caller: the task where it is one's, else the contract. */
export interface Held {
  readonly contract: ContractRow;
  readonly task: TaskRow | undefined;
}

/** @throws VALIDATION_FAILED for words that decide nothing, and for a raise that is none. */
export async function checkBudgetAnswer(
  a: Act,
  { contract, task }: Held,
  given: { readonly answer: string; readonly choices: readonly string[] },
): Promise<void> {
  const choice = readBudgetChoice(given.answer);
  if (choice === undefined)
    throw refused('this answer decides nothing', 'one of the choices, or "Raise by <amount>"');
  if (choice.kind !== 'raise') return;
  const spent = task ?? (await spentOf(a, contract));
  const budget = raised(budgetOf(task ?? contract), spent, choice.by);
  if (budgetLevel(budget, spent) !== 'reached') return;
  throw refused(
    `that would leave it used up: ${budgetWords(budget, spent)}`,
    `raise what is used up, as in "${given.choices[0] ?? ''}"`,
  );
}

function refused(message: string, detail: string): MakimaError {
  return new MakimaError('VALIDATION_FAILED', message, {
    details: { errors: [{ pointer: '/response', detail }] },
    fix: detail,
  });
}

export async function decideBudget(
  a: Act,
  person: Person,
  { contract, task, answer }: Held & { readonly answer: string },
): Promise<void> {
  const choice = readBudgetChoice(answer);
  if (choice === undefined) return;
  if (task === undefined) return decideForContract(a, person, contract, choice);
  if (isTaskFinal(task.status)) return;
  if (choice.kind === 'stop') {
    const words = `${person.name} stopped it at its budget`;
    await stopTask(a, task, { status: 'cancelled', reason: 'cancelled', words });
    return;
  }
  const decided = decidedBudget(task, task, choice);
  await setTaskBudget(a.tx, {
    ownerId: a.ownerId,
    id: task.id,
    set: { ...budgetColumns(decided.budget), ...decided.grace, ...warned(a, decided) },
  });
  await lookAtBudgets(a, contract);
}

async function decideForContract(
  a: Act,
  person: Person,
  contract: ContractRow,
  choice: BudgetChoice,
): Promise<void> {
  if (choice.kind === 'stop') {
    await failContract(a, contract, `${cancelledReason}: ${person.name} stopped it at its budget`);
    return;
  }
  const decided = decidedBudget(contract, await spentOf(a, contract), choice);
  const row = await writeSettings(a, contract, budgetColumns(decided.budget));
  const changed = await setContractBudgetState(a.tx, {
    ownerId: a.ownerId,
    id: row.id,
    set: { ...decided.grace, ...warned(a, decided) },
  });
  await lookAtBudgets(a, changed);
}

interface Decided {
  readonly budget: Budget;
  readonly grace: { budgetGraceTokens: number | null; budgetGraceCostMicros: number | null };
  readonly isWarned: boolean;
}

function decidedBudget(
  row: Parameters<typeof limitsOf>[0],
  spent: Spent,
  choice: Exclude<BudgetChoice, { kind: 'stop' }>,
): Decided {
  const now = budgetOf(row);
  const budget = choice.kind === 'raise' ? raised(now, spent, choice.by) : now;
  const further = choice.kind === 'once' ? graceOf(now, spent) : { tokens: null, costMicros: null };
  const grace = {
    budgetGraceTokens: further.tokens,
    budgetGraceCostMicros: further.costMicros,
  };
  const limits = limitsOf({ ...budgetColumns(budget), ...grace });
  return { budget, grace, isWarned: budgetLevel(limits, spent) !== 'within' };
}

/** Who decides it just now knows how much is used. */
const warned = (a: Act, { isWarned }: Decided) => ({ budgetWarnedAt: isWarned ? a.now : null });

export function budgetColumns({ tokens, costMicros }: Budget) {
  return { budgetTokens: tokens, budgetCostMicros: costMicros };
}
