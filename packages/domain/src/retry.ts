/**
 * What follows when an attempt ended badly.
 *
 * Law: an agent that says itself that it failed has failed; nobody tries again behind its back. A crash, a
 * lost machine, a fence are nobody's verdict on the work: the next attempt continues the session. Where the
 * fault lies in what was asked for (no such repository, no such branch), another try changes nothing. A
 * supervisor is restored, never merely retried; the breaker of restoration bounds it.
 */

export const retryReasons = [
  'agent_crashed',
  'agent_failed',
  'daemon_lost',
  'start_failed',
  'cannot_start',
  'fenced',
  'killed_by_limit',
] as const;

export type RetryReason = (typeof retryReasons)[number];

export interface EndedAttempt {
  readonly reason: RetryReason;
  /** Retries made so far; 0 after the first attempt. */
  readonly retryCount: number;
  readonly maxRetries: number;
  readonly isSupervisor: boolean;
  /** Since it was assigned: a crash after an hour of work is no loop of crashes. */
  readonly livedMs: number;
  /** What the daemon or the agent said, for the failure message. */
  readonly detail?: string | undefined;
}

export type RetryDecision =
  | {
      readonly kind: 'retry';
      /** The daemon that could not start it is not asked again. */
      readonly excludeDaemon: boolean;
      /** Continue the agent's session instead of beginning anew. */
      readonly resume: boolean;
      readonly delayMs: number;
    }
  | { readonly kind: 'fail'; readonly message: string }
  | { readonly kind: 'restore'; readonly excludeDaemon: boolean };

export function decideRetry(ended: EndedAttempt): RetryDecision {
  if (ended.reason === 'agent_failed') return fail(ended, 'The agent reported that it failed');
  const excludeDaemon = ended.reason === 'start_failed';
  if (ended.isSupervisor) return { kind: 'restore', excludeDaemon };
  if (ended.reason === 'cannot_start')
    return fail(ended, 'It cannot be started, and another try would not help');
  if (ended.reason === 'killed_by_limit') return fail(ended, 'The agent was stopped at a limit');
  if (ended.retryCount >= ended.maxRetries) {
    const attempts = ended.retryCount + 1;
    const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
    return fail(ended, `Given up after ${tries}; at last ${words[ended.reason]}`);
  }
  return {
    kind: 'retry',
    excludeDaemon,
    resume: ended.reason !== 'start_failed',
    // Whose machine was lost is at work again as soon as there is a machine; how often, the retries bound.
    delayMs:
      ended.reason === 'daemon_lost'
        ? 0
        : Math.max(0, retryDelayMs(ended.retryCount) - Math.max(0, ended.livedMs)),
  };
}

/** Between two starts, at least: the first retry goes at once, then 2 s, 4 s, 8 s, at most 60 s. */
export function retryDelayMs(retryCount: number): number {
  return retryCount <= 0 ? 0 : Math.min(60_000, 1000 * 2 ** retryCount);
}

const words: Readonly<
  Record<Exclude<RetryReason, 'agent_failed' | 'cannot_start' | 'killed_by_limit'>, string>
> = {
  agent_crashed: 'the agent crashed',
  daemon_lost: 'its daemon was lost',
  start_failed: 'the agent could not be started',
  fenced: 'its lease had run out',
};

function fail(ended: EndedAttempt, what: string): RetryDecision {
  const detail = ended.detail?.trim() ?? '';
  return { kind: 'fail', message: detail === '' ? `${what}.` : `${what}: ${detail}` };
}
