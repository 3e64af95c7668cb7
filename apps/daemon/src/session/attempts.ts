/**
 * The attempts that live on this machine.
 *
 * Law: per (task, attempt) one life, per task one life at a time: a newer attempt waits until the older ones
 * are over, and no attempt waits for a newer one. Nothing starts once the daemon drains.
 */
import type { TaskStart } from '@makima/contracts/socket/commands';
import type { Running } from '@makima/contracts/socket/frames';
import type { DaemonContext } from '../context.ts';
import { attemptKey } from '../journal/state.ts';
import { live } from './life.ts';
import { createLive, decideEnd, type Ending, type LiveAttempt } from './live.ts';

export interface Attempts {
  /** Begins the life of an attempt that the journal knows as taken; false for any other. */
  begin(start: TaskStart): boolean;
  find(of: Running): LiveAttempt | null;
  all(): LiveAttempt[];
  /** Ends one; resolves when its end is reported. Not here: resolves at once. */
  end(of: Running, ending: Ending): Promise<void>;
  /** Ends all and lets none begin; resolves when all ends are reported. */
  drain(ending: Ending): Promise<void>;
}

interface Life {
  readonly attempt: LiveAttempt;
  readonly over: Promise<void>;
}

export const fencedEnding: Ending = {
  outcome: 'fenced',
  summary: 'the server gave this task to another attempt',
  error: null,
  graceMs: 0,
};

/** Frozen they would stay for ever: the work goes to other machines. */
export const revokedEnding: Ending = {
  ...fencedEnding,
  summary: 'this machine was sent away',
};

export function createAttempts(context: DaemonContext): Attempts {
  const lives = new Map<string, Life>();
  let draining = false;
  const keyOf = (of: Running): string => attemptKey(of.taskId, of.attempt);

  const overOlder = async ({ taskId, attempt: newest }: TaskStart): Promise<void> => {
    const older = [...lives.values()].filter(
      ({ attempt: { start } }) => start.taskId === taskId && start.attempt < newest,
    );
    for (const { attempt } of older) decideEnd(attempt, fencedEnding);
    await Promise.all(older.map(({ over }) => over));
  };

  return {
    begin(start) {
      const key = keyOf(start);
      const known = context.journal.state.attempts.get(key);
      if (draining || lives.has(key) || known?.phase !== 'taken') return false;
      const attempt = createLive(context, start);
      const over = overOlder(start)
        .then(() => live(context, attempt))
        .finally(() => lives.delete(key));
      lives.set(key, { attempt, over });
      return true;
    },
    find: (of) => lives.get(keyOf(of))?.attempt ?? null,
    all: () => [...lives.values()].map(({ attempt }) => attempt),
    async end(of, ending) {
      const life = lives.get(keyOf(of));
      if (life === undefined) return;
      decideEnd(life.attempt, ending);
      await life.over;
    },
    async drain(ending) {
      draining = true;
      for (const { attempt } of lives.values()) decideEnd(attempt, ending);
      await Promise.all([...lives.values()].map(({ over }) => over));
    },
  };
}
