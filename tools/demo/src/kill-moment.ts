// The moment at which the demo kills the supervisor's agent: it waits for its tasks, and they are at work.
// Why: a kill before anything goes on shows little, and one after the tasks ended shows nothing.
// Law: once, and only a process of this machine that carries the supervisor's task in its environment.
import { readFileSync } from 'node:fs';
import type { Event } from '@makima/contracts/entity/event';

export interface Victim {
  readonly pid: number;
  readonly taskId: string;
}

export interface KillMoment {
  /** Whom to kill now, or undefined. Names it once. */
  after(event: Event): Victim | undefined;
}

export function killMoment(): KillMoment {
  let victim: Victim | undefined;
  let waits = false;
  let spawned = 0;
  let begun = 0;
  let ended = 0;
  let over = false;
  return {
    after(event) {
      const { type, taskId, data } = event;
      if (over) return undefined;
      const isSupervisor = data['isSupervisor'] === true;
      if (type === 'task.started' && isSupervisor) victim = victimOf(data['pid'], taskId);
      if (type === 'task.started' && !isSupervisor) begun += 1;
      if (type === 'task.spawned') spawned += 1;
      if (type === 'task.completed' || type === 'task.failed') ended += 1;
      if (type === 'wait.started') waits = true;
      if (type === 'wait.satisfied') waits = false;
      if (type === 'attempt.lost' && taskId === victim?.taskId) victim = undefined;
      const ripe = waits && (begun >= spawned || ended > 0);
      if (!ripe || victim === undefined) return undefined;
      over = true;
      return victim;
    },
  };
}

function victimOf(pid: unknown, taskId: string | null): Victim | undefined {
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 2) return undefined;
  return taskId === null ? undefined : { pid, taskId };
}

/** SIGKILL, if it is what it should be. Says whether it was sent. */
export function killAgent({ pid, taskId }: Victim): boolean {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return environment.includes(`MAKIMA_TASK_ID=${taskId}`) && process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}
