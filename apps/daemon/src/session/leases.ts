/**
 * Self-fencing: an agent whose lease was not renewed for a while is frozen before the server may give its
 * task away, goes on when the lease turns out to be kept, and is killed when it is not.
 *
 * Law: time is counted from when the renewed beat was sent, by a clock that goes on while the machine
 * sleeps. An attempt that the server does not name is not renewed. A daemon whose place another process has
 * holds no lease until it is told anew: the other one may have its work already.
 */
import type { Running } from '@makima/contracts/socket/frames';
import type { Log } from '@makima/runtime/log';
import { fencedEnding, type Attempts } from './attempts.ts';
import type { LiveAttempt } from './live.ts';

export interface LeaseWord {
  readonly kept: readonly Running[];
  readonly fenced: readonly Running[];
  /** How long the server gives; agents are frozen after three quarters of it at the latest. */
  readonly leaseMs?: number;
}

export interface LeaseKeeper {
  /** The server's word on what is ours, as of `atMs`. */
  heard(word: LeaseWord, atMs: number): void;
  /** Another process has our place: no lease counts until the next word. */
  replaced(): void;
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
  let { freezeAfterMs } = options;
  let isReplaced = false;
  /** Also of what begins meanwhile, by a command that was on its way to the disk. */
  const forget = (): void => {
    if (!isReplaced) return;
    for (const attempt of attempts.all()) attempt.leasedAtMs = -Infinity;
  };
  const tick = (): void => {
    forget();
    for (const attempt of attempts.all()) {
      if (options.now() - attempt.leasedAtMs >= freezeAfterMs) freeze(attempt, log);
      else thaw(attempt, log);
    }
  };
  return {
    heard({ kept, fenced, leaseMs }, atMs) {
      forget();
      isReplaced = false;
      freezeAfterMs = Math.min(options.freezeAfterMs, (leaseMs ?? Infinity) * 0.75);
      for (const of of kept) {
        const attempt = attempts.find(of);
        if (attempt !== null) attempt.leasedAtMs = Math.max(attempt.leasedAtMs, atMs);
      }
      for (const of of fenced) void attempts.end(of, fencedEnding);
      tick();
    },
    replaced() {
      isReplaced = true;
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
