/**
 * A supervisor that makes no progress is stopped and goes on in its next epoch, with its conversation and its
 * directory. Nothing of what it made is lost.
 */
import { isTaskFinal } from '@makima/domain/task';
import { MakimaError } from '@makima/domain/error';
import { lockLiveAttempts } from '@makima/db/repo/attempts';
import { touchContract } from '@makima/db/repo/contracts';
import { lockTask } from '@makima/db/repo/tasks';
import type { TaskRow } from '@makima/db/rows';
import { lockedContract, requirePerson } from '../authorize.ts';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { goOn, mailWayBack } from '../contract/pause.ts';
import { stopTask } from '../task/cancel.ts';

/** @throws SUPERVISOR_NOT_FOUND, INVALID_TRANSITION when there is nothing to restart. */
export function restartSupervisor(
  engine: Engine,
  call: Call,
  input: { id: string; reason?: string | undefined },
): Promise<Acted<{ taskId: string }>> {
  return act(engine, call, async (a) => {
    const person = requirePerson(a.caller, 'restart supervisors');
    const contract = await lockedContract(a.tx, a.caller, input.id, 'update');
    const task =
      contract.supervisorTaskId === null
        ? undefined
        : await lockTask(a.tx, { ownerId: a.ownerId, id: contract.supervisorTaskId });
    if (task === undefined) {
      throw new MakimaError('SUPERVISOR_NOT_FOUND', 'this contract has no supervisor', {
        fix: `start it: makima contracts start ${contract.slug}`,
      });
    }
    if (contract.status !== 'active' && contract.status !== 'waiting_for_input')
      throw nothing(`the contract is ${contract.status}`);
    await lockLiveAttempts(a.tx, { ownerId: a.ownerId, taskIds: [task.id] });
    await restart(a, task, input.reason ?? `${person.name} restarted it`);
    await touchContract(a.tx, { contractId: contract.id, progress: 'yes' });
    return { taskId: task.id };
  });
}

async function restart(a: Act, task: TaskRow, words: string): Promise<void> {
  if (isTaskFinal(task.status)) throw nothing(`its supervisor is ${task.status}`);
  if (task.session === 'parked') throw nothing('its supervisor waits and needs no process');
  if (task.session === 'limited') throw nothing('its supervisor waits for a usage limit');
  if (task.status === 'interrupted') return mailWayBack(a, task);
  if (task.status === 'pending') throw nothing('its supervisor waits for a place');
  const rests =
    task.status === 'paused'
      ? task
      : await stopTask(a, task, { status: 'paused', reason: 'paused', words });
  return goOn(a, rests, words);
}

function nothing(why: string): MakimaError {
  return new MakimaError('INVALID_TRANSITION', `there is nothing to restart: ${why}`, {
    fix: 'see what it waits for: makima why',
  });
}
