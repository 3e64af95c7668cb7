/** Most of a budget is used: said once, to people of a contract's, to its supervisor of a task's. */
import { budgetOf, budgetWords } from '@makima/domain/budget';
import type { Spent } from '@makima/domain/usage';
import type { ContractRow, TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { sendMessage } from '../message/send.ts';

export function warnOfContract(a: Act, contract: ContractRow, spent: Spent): void {
  const words = budgetWords(budgetOf(contract), spent);
  a.emit('budget.warned', {
    contractId: contract.id,
    data: { scope: 'contract', words, reason: `${words} is used` },
  });
}

export async function warnOfTask(a: Act, contract: ContractRow, task: TaskRow): Promise<void> {
  const words = budgetWords(budgetOf(task), task);
  a.emit('budget.warned', {
    contractId: contract.id,
    taskId: task.id,
    data: { scope: 'task', name: task.name, words, reason: `${words} is used` },
  });
  await tellSupervisor(
    a,
    contract,
    task,
    `[Budget] Task ${task.name} (${task.id}) has used most of its budget: ${words}. At 100 % it is stopped and a person is asked.`,
  );
}

/** Of a budget of the supervisor's own task nobody but people needs to know. */
export async function tellSupervisor(
  a: Act,
  contract: ContractRow,
  task: TaskRow,
  text: string,
): Promise<void> {
  const { supervisorTaskId } = contract;
  if (supervisorTaskId === null || supervisorTaskId === task.id) return;
  await sendMessage(a, {
    taskId: supervisorTaskId,
    text,
    mode: 'queue',
    source: 'notice',
    sourceId: task.id,
  });
}
