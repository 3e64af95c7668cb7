/**
 * Self-fencing: an agent whose lease was not renewed for a while is frozen before the server may give its
 * task away, goes on when the lease turns out to be kept, and is killed when it is not.
 *
 * Law: time is counted from when the renewed beat was sent, by a clock that goes on while the machine
 * sleeps. An attempt that the server does not name is not renewed.
 */
import type { Running } from '@makima/contracts/socket/frames';
import type { Log } from '@makima/runtime/log';
import { attemptKey } from '../journal/state.ts';
import { fencedEnding, type Attempts } from './attempts.ts';
import type { LiveAttempt } from './live.ts';

/** When each attempt was last known to be ours. Pure, but for its memory. */
export interface LeaseBook {
  /** It was ours at that moment: its command came, or a beat was answered. */
  renewed(of: Running, atMs: number): void;
  forget(of: Running): void;
  /** How long nothing has been known of its lease. */
  silentMs(of: Running, nowMs: number): number;
}

export function createLeaseBook(): LeaseBook {
  const safeAt = new Map<string, number>();
  return {
    renewed(of, atMs) {
      const key = attemptKey(of.taskId, of.attempt);
      safeAt.set(key, Math.max(safeAt.get(key) ?? -Infinity, atMs));
    },
    forget: (of) => void safeAt.delete(attemptKey(of.taskId, of.attempt)),
    silentMs(of, nowMs) {
      const at = safeAt.get(attemptKey(of.taskId, of.attempt));
      return at === undefined ? 0 : nowMs - at;
    },
  };
}

export interface LeaseKeeper {
  /** The server's word on what is ours, as of `atMs`. */
  heard(
    word: { readonly kept: readonly Running[]; readonly fenced: readonly Running[] },
    atMs: number,
  ): void;
  /** Freezes what has been silent for too long. */
  tick(): void;
}

export interface LeaseKeeperOptions {
  readonly attempts: Attempts;
  readonly freezeAfterMs: number;
  readonly now: () => number;
  readonly log: Log;
}

export function createLeaseKeeper(options: LeaseKeeperOptions): LeaseKeeper {
  const { attempts, log } = options;
  const book = createLeaseBook();
  const tick = (): void => {
    for (const attempt of attempts.all()) {
      const { start } = attempt;
      book.renewed(start, attempt.bornAtMs);
      const expired = book.silentMs(start, options.now()) >= options.freezeAfterMs;
      if (expired) freeze(attempt, log);
      else thaw(attempt, log);
    }
  };
  return {
    heard({ kept, fenced }, atMs) {
      for (const of of kept) if (attempts.find(of) !== null) book.renewed(of, atMs);
      for (const of of fenced) {
        book.forget(of);
        void attempts.end(of, fencedEnding);
      }
      tick();
    },
    tick,
  };
}

function freeze(attempt: LiveAttempt, log: Log): void {
  if (attempt.frozen || attempt.agent === null || attempt.ending !== null) return;
  attempt.frozen = true;
  const processes = attempt.agent.freeze();
  log.warn({ taskId: attempt.start.taskId, processes }, 'no word about the lease: agent frozen');
}

function thaw(attempt: LiveAttempt, log: Log): void {
  if (!attempt.frozen || attempt.agent === null || attempt.ending !== null) return;
  attempt.frozen = false;
  attempt.agent.thaw();
  log.info({ taskId: attempt.start.taskId }, 'the lease is kept: agent goes on');
}
