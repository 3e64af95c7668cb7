/**
 * Directories that a machine did not clean when their contract ended, however often it tried: it is asked
 * once more. What is unmerged in them is kept on a ref first, as at every clean-up.
 */
import { isTerminal } from '@makima/domain/contract';
import { isTaskFinal } from '@makima/domain/task';
import { MakimaError } from '@makima/domain/error';
import { daemonsOf } from '@makima/db/repo/daemons';
import { operationsOf } from '@makima/db/repo/operations';
import { lockedContract, requireOwner } from '../authorize.ts';
import { act, type Acted, type Call, type Engine } from '../context.ts';
import { orderClean } from './clean.ts';
import { lockedTasks } from './pause.ts';

/** Answers of how many tasks. @throws INVALID_TRANSITION when nothing is left of it, or it is not over. */
export function cleanLeftovers(
  engine: Engine,
  call: Call,
  input: { id: string },
): Promise<Acted<number>> {
  return act(engine, call, async (a) => {
    requireOwner(a.caller, 'clean up after contracts');
    const contract = await lockedContract(a.tx, a.caller, input.id, 'update');
    const tasks = await lockedTasks(a, contract);
    const cleans = await operationsOf(a.tx, { contractId: contract.id, kind: 'workdir.clean' });
    const daemons = await daemonsOf(a.tx, { ownerId: a.ownerId });
    const ours = new Set(daemons.filter((d) => d.status !== 'revoked').map((d) => d.id));
    let asked = 0;
    for (const task of isTerminal(contract.status) ? tasks : []) {
      const states = cleans.filter((o) => o.taskId === task.id).map(({ state }) => state);
      const daemonId = task.homeDaemonId ?? '';
      const left = states.length > 0 && states.every((state) => state === 'failed');
      if (!left || !isTaskFinal(task.status) || !ours.has(daemonId)) continue;
      await orderClean(a, contract, task, daemonId);
      asked += 1;
    }
    if (asked > 0) return asked;
    throw new MakimaError('INVALID_TRANSITION', 'no directory of it is left to clean', {
      details: { status: contract.status },
    });
  });
}
