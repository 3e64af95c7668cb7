// The moment at which the demo kills the supervisor's agent: it waits for its tasks, and they are at work.
// Why: a kill before anything goes on shows little, and one after the tasks ended shows nothing.
// Law: once, and only the process that the last `task.started` of the supervisor named.
import type { Event } from '@makima/contracts/entity/event';

export interface KillMoment {
  /** The process to kill now, or undefined. Names it once. */
  after(event: Event): number | undefined;
}

export function killMoment(): KillMoment {
  let pid: number | undefined;
  let waits = false;
  let spawned = 0;
  let begun = 0;
  let ended = 0;
  let over = false;
  return {
    after(event) {
      if (over) return undefined;
      const isSupervisor = event.data['isSupervisor'] === true;
      if (event.type === 'task.started' && isSupervisor) pid = Number(event.data['pid']);
      if (event.type === 'task.started' && !isSupervisor) begun += 1;
      if (event.type === 'task.spawned') spawned += 1;
      if (event.type === 'task.completed' || event.type === 'task.failed') ended += 1;
      if (event.type === 'wait.started') waits = true;
      if (event.type === 'wait.satisfied') waits = false;
      if (event.type === 'attempt.lost') pid = undefined;
      const ripe = waits && (begun >= spawned || ended > 0);
      if (!ripe || pid === undefined || !Number.isSafeInteger(pid) || pid < 2) return undefined;
      over = true;
      return pid;
    },
  };
}

/** SIGKILL; a process that has left already is fine. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
