/**
 * A question of an agent that works for a directive: no contract waits for it. How long it blocks is the
 * directive's word (`reconcileMode`): half a minute in `auto`, else until a person answers.
 */
import type { AskInput } from '@makima/contracts/entity/question';
import { MakimaError } from '@makima/domain/error';
import { questionAfterHold, questionHoldMs } from '@makima/domain/question';
import { findDirective } from '@makima/db/repo/directives';
import { insertQuestion, openQuestionsOfTasks } from '@makima/db/repo/questions';
import type { Act } from '../context.ts';
import { requirePresent } from '../authorize.ts';
import type { Agent } from '../principal.ts';
import { checkRoomToAsk, defaultColumns, defaultFacts, holdFirst, type Asked } from './asked.ts';

/** @throws NO_CONTEXT when the agent belongs to neither contract nor directive. */
export async function askForDirective(a: Act, agent: Agent, input: AskInput): Promise<Asked> {
  const directive =
    agent.directiveId === null
      ? undefined
      : await findDirective(a.tx, { ownerId: a.ownerId, id: agent.directiveId });
  if (directive === undefined) {
    throw new MakimaError(
      'NO_CONTEXT',
      'this agent belongs to no contract or directive to ask for',
    );
  }
  const task = await requirePresent(a, agent);
  if (input.questionType !== 'general') {
    throw new MakimaError('VALIDATION_FAILED', 'a directive has no phases to confirm', {
      details: { errors: [{ pointer: '/questionType', detail: 'must be general' }] },
    });
  }
  checkRoomToAsk(a, await openQuestionsOfTasks(a.tx, { ownerId: a.ownerId, taskIds: [task.id] }));
  const { reconcileMode } = directive;
  const question = await insertQuestion(a.tx, {
    ownerId: a.ownerId,
    contractId: null,
    directiveId: directive.id,
    taskId: task.id,
    askedEpoch: task.currentAttempt,
    question: input.question,
    context: input.context ?? null,
    choices: [...input.choices],
    multiSelect: input.multiSelect,
    phaseguard: input.phaseguard,
    nonBlocking: input.nonBlocking,
    ...defaultColumns(a, input),
  });
  if (question === undefined)
    throw new MakimaError('CONFLICT', 'the question could not be stored', { retryable: true });
  a.emit('question.asked', {
    contractId: null,
    taskId: task.id,
    data: {
      questionId: question.id,
      directiveId: directive.id,
      questionType: 'general',
      question: question.question,
      choices: question.choices,
      multiSelect: question.multiSelect,
      nonBlocking: question.nonBlocking,
      ...defaultFacts(question),
    },
  });
  const ask = { ...input, reconcileMode };
  const holdMs = questionHoldMs(ask, a.engine.limits.questionAutoHoldMs);
  const afterHold = questionAfterHold(ask);
  await holdFirst(a, question.id, { holdMs, afterHold });
  return { questionId: question.id, holdMs, afterHold, reconcileMode };
}
