/**
 * Waiting for tasks: a wait row, and a request that is held on it.
 *
 * Law: the row outlives the request. An agent goes on with the same row, in this process or another; a
 * person's row ends with the request.
 */
import { channels } from '@makima/contracts/channels';
import type { Call } from '@makima/engine/context';
import { abandonWait, beginWait, readWait, type WaitState } from '@makima/engine/wait/begin';
import { keyIdOf } from '../idempotency.ts';
import type { Held } from '../wait.ts';
import type { HoldCaller } from './hold-caller.ts';

export interface TaskWait {
  readonly taskIds: readonly string[];
  readonly mode: 'all' | 'any';
  /** The wait's own time. */
  readonly expiresInSeconds?: number | undefined;
  /** Go on with this wait instead of beginning one. */
  readonly waitId?: string | undefined;
}

const rereadMs = 5_000;

export async function holdForTasks(
  hold: HoldCaller,
  call: Call,
  wait: TaskWait,
): Promise<Held<WaitState>> {
  const { api, caller, signal } = hold;
  const waitId = wait.waitId ?? (await beginWait(api.engine, call, wait)).result.waitId;
  // A wait of a person may have been abandoned by an earlier try of the same request: then the tasks decide.
  const isPerson = caller.kind !== 'agent';
  const held = await api.holds.hold({
    holder: keyIdOf(caller),
    channels: [channels.waitDone(waitId), ...(isPerson ? wait.taskIds.map(channels.taskDone) : [])],
    holdMs: hold.holdMs,
    rereadMs,
    signal,
    read: async () => {
      const state = await readWait(api.engine, caller, { waitId });
      return { ...state, satisfied: state.satisfied || (isPerson && tasksEnded(state, wait.mode)) };
    },
    isOver: (state) => state.satisfied || state.timedOut,
    ...hold.beats,
  });
  if (isPerson && wait.waitId === undefined) await abandonWait(api.engine, caller, { waitId });
  return held;
}

function tasksEnded({ tasks }: WaitState, mode: TaskWait['mode']): boolean {
  return mode === 'all'
    ? tasks.every((task) => task.completed)
    : tasks.some((task) => task.completed);
}
