/** A question as people see it, with what it is about. */
import type { Question } from '@makima/contracts/entity/question';
import type { QuestionListRow } from '@makima/db/repo/questions';

export function presentQuestion(row: QuestionListRow): Question {
  return {
    id: row.id,
    contractId: row.contractId,
    contractSlug: row.contractSlug,
    directiveId: row.directiveId,
    taskId: row.taskId,
    question: row.question,
    context: row.context,
    choices: row.choices,
    multiSelect: row.multiSelect,
    phaseguard: row.phaseguard,
    nonBlocking: row.nonBlocking,
    questionType: row.questionType,
    status: row.status,
    response: row.response,
    answeredBy: row.answeredBy,
    answeredAt: row.answeredAt?.toISOString() ?? null,
    askedAt: row.askedAt.toISOString(),
    askedBy: row.askedBy,
    isRestored: row.redeliveredEpoch !== null,
    tool: row.tool,
    default:
      row.defaultAnswer === null
        ? null
        : { answer: row.defaultAnswer, at: row.defaultAt?.toISOString() ?? null },
    confirmation:
      row.confirmationId === null
        ? null
        : {
            id: row.confirmationId,
            fromPhase: row.fromPhase ?? '',
            toPhase: row.toPhase,
            contractVersion: row.contractVersion ?? 0,
            deliverables: (row.shown ?? []) as never,
          },
  };
}
