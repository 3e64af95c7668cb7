/** Whether a contract would complete now, and what is missing for it (M1.8). Looks, and changes nothing. */
import { holdsCompletion } from '@makima/domain/question';
import type { ResponseOf } from '@makima/contracts/http/endpoint';
import type { checkCompletion as endpoint } from '@makima/contracts/http/contracts';
import { isTerminalPhase } from '@makima/domain/contract-type';
import { MakimaError } from '@makima/domain/error';
import { isTaskFinal } from '@makima/domain/task';
import { openQuestionsOf } from '@makima/db/repo/questions';
import { tasksOfContract } from '@makima/db/repo/tasks';
import { reading } from '@makima/db/tx';
import type { Queryable } from '@makima/db/client';
import type { ContractRow } from '@makima/db/rows';
import { readableContract, requireReader } from '../authorize.ts';
import type { Engine } from '../context.ts';
import type { Principal } from '../principal.ts';
import { gateOf } from './gate.ts';
import { completesByItself } from './phase-readiness.ts';

export type CompletionCheck = ResponseOf<typeof endpoint>;

export async function checkCompletion(
  engine: Engine,
  caller: Principal,
  input: { id: string },
): Promise<CompletionCheck> {
  if (caller.kind !== 'agent') requireReader(caller, 'look at contracts');
  else if (!caller.isSupervisor)
    throw new MakimaError('NOT_SUPERVISOR', 'only the supervisor of the contract may do this');
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      const contract = await readableContract(sql, caller, input.id);
      const missing = await missingForCompletion(sql, contract);
      const ready = missing.length === 0;
      const byItself = completesByItself(engine, contract);
      const open = contract.status === 'active' || contract.status === 'waiting_for_input';
      return { ready, would_complete: ready && byItself && open, missing };
    })(),
  );
}

/** In sentences: the last phase, its gate, no task under way, nobody waiting for an answer. */
export async function missingForCompletion(
  db: Queryable,
  contract: ContractRow,
): Promise<string[]> {
  const about = { ownerId: contract.ownerId, contractId: contract.id };
  const [{ readiness }, questions, tasks] = await Promise.all([
    gateOf(db, contract),
    openQuestionsOf(db, about),
    tasksOfContract(db, about),
  ]);
  const gate = readiness.missing.map((item) => item.sentence);
  const phase = isTerminalPhase(contract.contractType, contract.phase)
    ? []
    : [`The contract is in ${contract.phase}, which is not its last phase.`];
  const asked = questions.filter(holdsCompletion).map((q) => `A question is open: ${q.question}`);
  const open = tasks
    .filter((task) => !task.isSupervisor && !isTaskFinal(task.status))
    .map((task) => `Task '${task.name}' is ${task.status}.`);
  return [...new Set([...phase, ...gate, ...open, ...asked])];
}
