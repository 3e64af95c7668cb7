/**
 * A budget is used up: agents are stopped with their work and conversations kept, nothing is started, and a
 * person is asked.
 *
 * Law: the mark on the row is what holds; whoever places looks at it. Of a contract the whole waits for the
 * answer, of a task that task alone.
 */
import {
  budgetChoices,
  budgetOf,
  budgetWords,
  limitsOf,
  reachedUnits,
} from '@makima/domain/budget';
import type { QuestionSubject } from '@makima/domain/question';
import type { Spent } from '@makima/domain/usage';
import { setContractBudgetState, setTaskBudget } from '@makima/db/repo/budgets';
import { insertQuestion } from '@makima/db/repo/questions';
import type { ContractRow, TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { syncWaiting } from '../contract/move.ts';
import { pauseTasks, stopCondition } from '../contract/pause.ts';
import { stopTask } from '../task/cancel.ts';
import { tellSupervisor } from './warn.ts';

/** The caller holds the contract. Answers it as it is afterwards. */
export async function holdContract(
  a: Act,
  contract: ContractRow,
  spent: Spent,
): Promise<ContractRow> {
  const { ownerId } = a;
  const used = budgetWords(budgetOf(contract), spent);
  const set = { budgetHeldAt: a.now, budgetWarnedAt: contract.budgetWarnedAt ?? a.now };
  const row = await setContractBudgetState(a.tx, { ownerId, id: contract.id, set });
  const words = `the budget of its contract is used up: ${used}`;
  await pauseTasks(a, row, { words, why: 'budget' });
  a.emit('budget.reached', {
    contractId: row.id,
    data: { scope: 'contract', words: used, reason: `${used} is used` },
  });
  await ask(a, row, {
    subject: { kind: 'budget', taskId: null },
    question: `The budget of "${row.name}" is used up: ${used}. Its agents are stopped; their work and conversations are kept. What then?`,
    choices: budgetChoices(budgetOf(row), reachedUnits(limitsOf(row), spent)),
  });
  return syncWaiting(a, row);
}

/** The caller holds contract, task and attempt. */
export async function holdTask(a: Act, contract: ContractRow, task: TaskRow): Promise<void> {
  const { ownerId } = a;
  const used = budgetWords(budgetOf(task), task);
  const words = `its budget is used up: ${used}`;
  if (task.status === 'starting' || task.status === 'running') {
    await stopTask(a, task, { status: 'paused', reason: 'paused', words });
    if (task.isSupervisor) await stopCondition(a, task, { words, why: 'budget' });
  }
  const set = { budgetHeldAt: a.now, budgetWarnedAt: task.budgetWarnedAt ?? a.now };
  await setTaskBudget(a.tx, { ownerId, id: task.id, set });
  a.emit('budget.reached', {
    contractId: contract.id,
    taskId: task.id,
    data: { scope: 'task', name: task.name, words: used, reason: words },
  });
  await ask(a, contract, {
    subject: { kind: 'budget', taskId: task.id },
    question: `${task.name} has used up its budget: ${used}. It is stopped; its work and conversation are kept. What then?`,
    choices: budgetChoices(budgetOf(task), reachedUnits(limitsOf(task), task)),
  });
  const told = `[Budget] Task ${task.name} (${task.id}) is stopped: ${words}. A person was asked whether it goes on.`;
  await tellSupervisor(a, contract, task, told);
}

interface Asking {
  readonly subject: Extract<QuestionSubject, { kind: 'budget' }>;
  readonly question: string;
  readonly choices: readonly string[];
}

async function ask(a: Act, contract: ContractRow, asking: Asking): Promise<void> {
  const { subject, choices } = asking;
  const question = await insertQuestion(a.tx, {
    ownerId: a.ownerId,
    contractId: contract.id,
    taskId: subject.taskId,
    question: asking.question,
    context: otherAnswers,
    choices: [...choices],
    // Of one task: only that one stands still.
    nonBlocking: subject.taskId !== null,
    subject,
  });
  if (question === undefined) return;
  a.emit('question.asked', {
    contractId: contract.id,
    taskId: subject.taskId,
    data: {
      questionId: question.id,
      questionType: question.questionType,
      question: question.question,
      choices: question.choices,
    },
  });
}

const otherAnswers =
  'Any amount may be given: "Raise by $2.50", "Raise by 200k tokens", "Raise by $5 and 1M tokens". "Go on once" lets another tenth of the budget be spent, then asks again.';
