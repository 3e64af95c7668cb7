/**
 * A person answers: the first answer wins and later ones are told who and what. The answer reaches the
 * agent as its tool's result when a request still holds for it, else as a message; the answer to a
 * confirmation also decides it.
 */
import type { Question } from '@makima/contracts/entity/question';
import { checkAnswer, isConfirming } from '@makima/domain/question';
import { mayWork } from '@makima/domain/contract';
import { MakimaError } from '@makima/domain/error';
import { decideConfirmation, findConfirmation } from '@makima/db/repo/confirmations';
import { lockContract } from '@makima/db/repo/contracts';
import { findQuestion, lockQuestion } from '@makima/db/repo/questions';
import { findTask } from '@makima/db/repo/tasks';
import type { ContractRow, QuestionRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { notFound, requirePerson } from '../authorize.ts';
import type { Person } from '../principal.ts';
import { decide } from '../contract/change-phase.ts';
import { digestOf, gateOf } from '../contract/gate.ts';
import { finishContract } from '../contract/finish.ts';
import { goOnAnswered } from '../contract/input-timeout.ts';
import { moveContract } from '../contract/move.ts';
import { mailWayBack, resumeTasks } from '../contract/pause.ts';
import { letsGoOn } from '../supervisor/restore.ts';
import { carryOutDecision, checkDecision, lockSubject } from './control.ts';
import { deliver } from './deliver.ts';
import { questionView } from './get.ts';
import { afterAnswer, tooLate, writeAnswer } from './settle.ts';

export function answerQuestion(
  engine: Engine,
  call: Call,
  input: { id: string; response: string | readonly string[] },
): Promise<Acted<Question>> {
  return act(engine, call, async (a) => {
    const person = requirePerson(a.caller, 'answer questions');
    const seen = await findQuestion(a.tx, { ownerId: a.ownerId, id: input.id });
    if (seen === undefined) throw notFound('question', input.id);
    const contract = await heldContract(a, person, seen.contractId);
    const subject = await lockSubject(a, seen, contract);
    const question = await lockQuestion(a.tx, { ownerId: a.ownerId, id: input.id });
    if (question === undefined) throw notFound('question', input.id);
    if (question.status !== 'open') throw tooLate(question);
    const verdict = checkAnswer(question, input.response);
    if (!verdict.ok) {
      throw new MakimaError('VALIDATION_FAILED', verdict.reason, {
        details: {
          errors: [{ pointer: '/response', detail: verdict.reason }],
          choices: question.choices,
        },
      });
    }
    if (question.confirmationId !== null && contract !== undefined) {
      await checkConfirmation(a, contract, question.confirmationId);
    }
    const { value } = verdict;
    await checkDecision(a, question, subject, value);
    const { userId, name: by } = person;
    const answered = await writeAnswer(a, question, { value, userId, by });
    if (question.confirmationId !== null && contract !== undefined)
      await settleConfirmation(a, person, contract, answered, value);
    else if (answered.subject !== null)
      await carryOutDecision(a, person, { ...subject, question: answered });
    else await deliver(a, answered);
    if (contract !== undefined && letsGoOn(answered, value)) await goOn(a, person, contract);
    if (contract !== undefined) await afterAnswer(a, contract, answered);
    return questionView(a.tx, answered);
  });
}

/** Without the status `blocked` only the supervisor rested. */
async function goOn(a: Act, person: Person, contract: ContractRow): Promise<void> {
  if (contract.status === 'blocked') {
    const words = `${person.name} let the supervisor go on`;
    return resumeTasks(a, await moveContract(a, contract, { to: 'active', reason: words }), words);
  }
  const id = contract.supervisorTaskId ?? '';
  const task = await findTask(a.tx, { ownerId: a.ownerId, id });
  if (task?.status === 'interrupted' && mayWork(contract.status)) mailWayBack(a, task);
}

/** A person is there again: what was paused because nobody answered goes on. */
async function heldContract(
  a: Act,
  person: Person,
  id: string | null,
): Promise<ContractRow | undefined> {
  if (id === null) return undefined;
  const row = await lockContract(a.tx, { ownerId: a.ownerId, id, strength: 'update' });
  return row === undefined ? undefined : goOnAnswered(a, row, person);
}

/** The yes must speak of what is there now. */
async function checkConfirmation(
  a: Act,
  contract: ContractRow,
  confirmationId: string,
): Promise<void> {
  const confirmation = await findConfirmation(a.tx, { ownerId: a.ownerId, id: confirmationId });
  const { deliverables } = await gateOf(a.tx, contract);
  const holds =
    confirmation !== undefined &&
    confirmation.state === 'open' &&
    confirmation.contractVersion === contract.version &&
    confirmation.fromPhase === contract.phase &&
    confirmation.digest === digestOf(contract, confirmation.toPhase ?? '', deliverables);
  if (holds) return;
  throw new MakimaError('CONFIRMATION_VOID', 'what this confirmation showed has changed', {
    fix: 'look at the contract again; a new request opens when it is asked for',
  });
}

async function settleConfirmation(
  a: Act,
  person: Person,
  contract: ContractRow,
  question: QuestionRow,
  answer: string,
): Promise<void> {
  const confirmationId = question.confirmationId ?? '';
  const yes = isConfirming(answer);
  const decided = await decideConfirmation(a.tx, {
    id: confirmationId,
    state: yes ? 'approved' : 'rejected',
    userId: person.userId,
    keyId: person.keyId,
    notes: yes ? null : answer,
  });
  a.audit(
    'phase.confirm',
    yes ? 'done' : 'refused',
    { kind: 'contract', id: contract.id },
    { confirmationId, answer },
  );
  if (decided === undefined) return;
  if (!yes) return deliver(a, question);
  if (!mayWork(contract.status)) {
    throw new MakimaError('INVALID_TRANSITION', `the contract is ${contract.status}`, {
      fix: `resume it first: makima contracts resume ${contract.slug}`,
    });
  }
  if (decided.kind === 'completion') {
    await finishContract(a, contract, { confirmed: true });
    return deliver(a, question, { consequence: 'The contract completes' });
  }
  const outcome = await decide(
    a,
    contract,
    { phase: decided.toPhase ?? '' },
    await gateOf(a.tx, contract),
    decided,
  );
  if (outcome.outcome !== 'success') {
    throw new MakimaError('CONFIRMATION_VOID', 'the phase cannot be left as it stands now', {
      details: { ...outcome },
    });
  }
  return deliver(a, question, { consequence: `The contract is now in ${outcome.phase}` });
}
