/** "Why is it not moving?" of a contract (M8.10): the facts from rows, the judgement from the domain. */
import type { Why } from '@makima/contracts/entity/why';
import { nextPhase } from '@makima/domain/contract-type';
import { isTaskFinal } from '@makima/domain/task';
import { whyContract as judge, type WhyContractFacts } from '@makima/domain/why';
import { databaseTime } from '@makima/db/repo/clock';
import { openConfirmation, questionOfConfirmation } from '@makima/db/repo/confirmations';
import { lastPhaseChange } from '@makima/db/repo/contracts';
import { owedCleanups } from '@makima/db/repo/operations';
import { openQuestionsOf } from '@makima/db/repo/questions';
import { tasksOfContract } from '@makima/db/repo/tasks';
import { reading } from '@makima/db/tx';
import type { Queryable } from '@makima/db/client';
import type { ContractRow } from '@makima/db/rows';
import { readableContract } from '../authorize.ts';
import { openQuestion } from '../budget/why.ts';
import type { Engine } from '../context.ts';
import { presentWhy } from '../present/why.ts';
import type { Principal } from '../principal.ts';
import { whyTaskFacts } from '../task/why.ts';
import { gateOf } from './gate.ts';
import { advancesByItself } from './phase-readiness.ts';

export async function whyContract(
  engine: Engine,
  caller: Principal,
  input: { id: string },
): Promise<Why> {
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      const contract = await readableContract(sql, caller, input.id);
      const now = await databaseTime(sql);
      return presentWhy(judge(await factsOf(engine, sql, contract, now), now));
    })(),
  );
}

async function factsOf(
  engine: Engine,
  db: Queryable,
  contract: ContractRow,
  now: Date,
): Promise<WhyContractFacts> {
  const about = { ownerId: contract.ownerId, contractId: contract.id };
  const [gate, confirmation, questions, all, lastChange, cleanup] = await Promise.all([
    gateOf(db, contract),
    confirmationOf(db, contract),
    openQuestionsOf(db, about),
    tasksOfContract(db, about),
    lastPhaseChange(db, about),
    contract.status === 'completing' ? owedCleanups(db, { contractIds: [contract.id] }) : [],
  ]);
  const open = all.filter((task) => task.isSupervisor || !isTaskFinal(task.status));
  const facts = await whyTaskFacts(db, open, now);
  const detectedAt = contract.completionDetectedAt;
  return {
    id: contract.id,
    slug: contract.slug,
    status: contract.status,
    statusSince: contract.statusChangedAt,
    blockedReason: contract.blockedReason,
    failureReason: contract.failureReason,
    phase: contract.phase,
    phaseSince: lastChange ?? contract.createdAt,
    nextPhase: nextPhase(contract.contractType, contract.phase) ?? null,
    readiness: gate.readiness,
    autoAdvance: advancesByItself(engine, contract),
    confirmation,
    openQuestions: questions
      .filter((q) => !q.nonBlocking && q.confirmationId === null)
      .map(openQuestion),
    supervisor: facts.get(open.find((task) => task.isSupervisor)?.id ?? '') ?? null,
    tasks: open.filter((task) => !task.isSupervisor).flatMap((task) => facts.get(task.id) ?? []),
    graceEndsAt:
      contract.status === 'completing' && detectedAt !== null
        ? new Date(detectedAt.getTime() + engine.settings.completionGraceMs)
        : null,
    cleanup,
  };
}

async function confirmationOf(
  db: Queryable,
  contract: ContractRow,
): Promise<WhyContractFacts['confirmation']> {
  const open = await openConfirmation(db, { contractId: contract.id });
  if (open === undefined) return null;
  const question = await questionOfConfirmation(db, { confirmationId: open.id });
  return {
    kind: open.kind === 'completion' ? 'completion_confirmation' : 'phase_confirmation',
    questionId: question?.id ?? null,
    since: open.requestedAt,
  };
}
