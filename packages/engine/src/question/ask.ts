/**
 * Ask a person (seed 002): a row with an id for ever, the contract waits for input unless the question is
 * non-blocking, and the supervisor's save point says what it waits for. `phase_confirmation` and
 * `contract_complete` open a confirmation, so that a yes is bound to what was shown. What was asked in a
 * conversation that is gone is not asked again: the same words take up the same question.
 */
import type { AskInput } from '@makima/contracts/entity/question';
import { MakimaError } from '@makima/domain/error';
import { mayWork } from '@makima/domain/contract';
import { nextPhase } from '@makima/domain/contract-type';
import { questionAfterHold, questionHoldMs } from '@makima/domain/question';
import { afterQuestion } from '@makima/domain/supervisor';
import { insertQuestion, openQuestionsOf, takeUpQuestion } from '@makima/db/repo/questions';
import type { ContractRow, QuestionRow, TaskRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { lockedContract, requireAgent, requireSupervisor } from '../authorize.ts';
import { requestConfirmation } from '../contract/confirmation.ts';
import { syncWaiting } from '../contract/move.ts';
import { savePoint } from '../save-point.ts';
import { askForDirective } from './ask-for-directive.ts';
import {
  checkRoomToAsk,
  checkedDefault,
  defaultColumns,
  defaultFacts,
  holdFirst,
  type Asked,
} from './asked.ts';

export function askQuestion(engine: Engine, call: Call, input: AskInput): Promise<Acted<Asked>> {
  return act(engine, call, async (a) => {
    const agent = requireAgent(a.caller);
    if (agent.contractId === null) return askForDirective(a, agent, input);
    const contract = await lockedContract(a.tx, a.caller, agent.contractId, 'update');
    const task = await requireSupervisor(a, contract.id);
    if (!mayWork(contract.status)) {
      throw new MakimaError(
        'INVALID_TRANSITION',
        `nothing is asked in a contract that is ${contract.status}`,
        { details: { status: contract.status } },
      );
    }
    checkedDefault(input);
    const holdMs = questionHoldMs(input);
    const afterHold = questionAfterHold(input);
    const known = await askedInFormerLife(a, task, input);
    // Who holds for it reads the answer at once.
    if (known?.status === 'answered')
      return { questionId: known.id, holdMs, afterHold, reconcileMode: null };
    const questionId =
      known?.id ??
      (input.questionType === 'general'
        ? await askGeneral(a, contract, task, input)
        : await askConfirmation(a, contract, input));
    await holdFirst(a, questionId, { holdMs, afterHold });
    if (!input.nonBlocking) await savePoint(a, task, afterQuestion(input.question));
    return { questionId, holdMs, afterHold, reconcileMode: null };
  });
}

/**
 * A machine that is gone may take a conversation along; the next one begins from its brief and asks what was
 * asked. The person is not asked twice: it is the same question, with the answer that it may have by now.
 */
async function askedInFormerLife(
  a: Act,
  task: TaskRow,
  input: AskInput,
): Promise<QuestionRow | undefined> {
  if (input.questionType !== 'general' || input.phaseguard) return undefined;
  return takeUpQuestion(a.tx, {
    taskId: task.id,
    epoch: task.currentAttempt,
    question: input.question,
    context: input.context ?? null,
    choices: input.choices,
    multiSelect: input.multiSelect,
  });
}

async function askGeneral(
  a: Act,
  contract: ContractRow,
  task: TaskRow,
  input: AskInput,
): Promise<string> {
  const open = await openQuestionsOf(a.tx, { ownerId: a.ownerId, contractId: contract.id });
  checkRoomToAsk(a, open);
  const question = await insertQuestion(a.tx, {
    ownerId: a.ownerId,
    contractId: contract.id,
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
    contractId: contract.id,
    taskId: task.id,
    data: {
      questionId: question.id,
      questionType: 'general',
      question: question.question,
      choices: question.choices,
      multiSelect: question.multiSelect,
      nonBlocking: question.nonBlocking,
      ...defaultFacts(question),
    },
  });
  await syncWaiting(a, contract);
  return question.id;
}

async function askConfirmation(a: Act, contract: ContractRow, input: AskInput): Promise<string> {
  const to = nextPhase(contract.contractType, contract.phase) ?? null;
  if (input.questionType === 'phase_confirmation' && to === null) {
    throw new MakimaError(
      'VALIDATION_FAILED',
      `${contract.phase} is the last phase; ask with questionType contract_complete`,
    );
  }
  const { questionId } = await requestConfirmation(
    a,
    contract,
    input.questionType === 'contract_complete' ? null : to,
    input.context === undefined ? input.question : `${input.question}\n${input.context}`,
  );
  return questionId;
}
