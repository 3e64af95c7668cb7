/** Which budget holds a task, and what a person was asked about it: for "why is it not moving?". */
import { budgetOf, budgetWords } from '@makima/domain/budget';
import { nothingSpent, type Spent } from '@makima/domain/usage';
import type { OpenQuestion } from '@makima/domain/why-blocker';
import type { WhyTaskFacts } from '@makima/domain/why-task';
import { openQuestionsOf } from '@makima/db/repo/questions';
import { spentOfContracts } from '@makima/db/repo/usage';
import type { Queryable } from '@makima/db/client';
import type { ContractRow, QuestionRow, TaskRow } from '@makima/db/rows';

/** Nothing is read where no budget holds. */
export async function budgetFacts(
  db: Queryable,
  contract: ContractRow | undefined,
  tasks: readonly TaskRow[],
): Promise<(task: TaskRow) => WhyTaskFacts['budget']> {
  const isHeld = contract?.budgetHeldAt != null;
  if (contract === undefined || (!isHeld && tasks.every((task) => task.budgetHeldAt === null)))
    return () => null;
  const { ownerId, id: contractId } = contract;
  const [open, spent] = await Promise.all([
    openQuestionsOf(db, { ownerId, contractId }),
    spentOfContracts(db, { ownerId, contractIds: [contractId] }),
  ]);
  return (task) => {
    if (contract.budgetHeldAt !== null) {
      const words = wordsOf(contract, spent.get(contractId) ?? nothingSpent);
      return {
        reason: `The budget of its contract is used up: ${words}.`,
        ...about(contract, open, null),
      };
    }
    if (task.budgetHeldAt === null) return null;
    const words = wordsOf(task, task);
    return { reason: `Its budget is used up: ${words}.`, ...about(task, open, task.id) };
  };
}

const wordsOf = (row: Parameters<typeof budgetOf>[0], spent: Spent): string =>
  budgetWords(budgetOf(row), spent);

function about(
  row: { readonly budgetHeldAt: Date | null; readonly createdAt: Date },
  open: readonly QuestionRow[],
  taskId: string | null,
) {
  const asked = open.find((one) => one.subject?.kind === 'budget' && one.taskId === taskId);
  return {
    since: row.budgetHeldAt ?? row.createdAt,
    questionId: asked?.id ?? null,
    raise: asked?.choices[0] ?? null,
  };
}

/** As `why` shows an open question: one about a budget names the answer that raises it. */
export function openQuestion({
  id,
  question,
  askedAt,
  subject,
  choices,
}: QuestionRow): OpenQuestion {
  return { id, question, askedAt, ...(subject?.kind === 'budget' ? { raise: choices[0] } : {}) };
}
