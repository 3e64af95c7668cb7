/** What follows a bad end, for every reason. */
import { describe, expect, it } from 'vitest';
import { type EndedAttempt, decideRetry, retryDelayMs, retryReasons } from './retry.ts';

const ended: EndedAttempt = {
  reason: 'agent_crashed',
  retryCount: 0,
  maxRetries: 3,
  isSupervisor: false,
  livedMs: 0,
};
const decide = (over: Partial<EndedAttempt>) => decideRetry({ ...ended, ...over });

describe('a task', () => {
  it.each(['agent_crashed', 'daemon_lost', 'fenced'] as const)('continues after %s', (reason) => {
    expect(decide({ reason })).toEqual({
      kind: 'retry',
      excludeDaemon: false,
      resume: true,
      delayMs: 0,
    });
  });

  it('begins anew elsewhere when it could not be started', () => {
    expect(decide({ reason: 'start_failed', retryCount: 1 })).toEqual({
      kind: 'retry',
      excludeDaemon: true,
      resume: false,
      delayMs: 2000,
    });
  });

  it('has failed when its agent says so, or when it met a limit', () => {
    expect(decide({ reason: 'agent_failed', detail: 'no such API' })).toEqual({
      kind: 'fail',
      message: 'The agent reported that it failed: no such API',
    });
    expect(decide({ reason: 'agent_failed' })).toEqual({
      kind: 'fail',
      message: 'The agent reported that it failed.',
    });
    expect(decide({ reason: 'killed_by_limit', detail: '50 MiB of output' })).toEqual({
      kind: 'fail',
      message: 'The agent was stopped at a limit: 50 MiB of output',
    });
  });

  it('has failed at once when another try would not help', () => {
    expect(decide({ reason: 'cannot_start', detail: 'no branch x' })).toEqual({
      kind: 'fail',
      message: 'It cannot be started, and another try would not help: no branch x',
    });
  });

  it('waits for nothing after its machine was lost, however often', () => {
    expect(decide({ reason: 'daemon_lost', retryCount: 2 })).toMatchObject({ delayMs: 0 });
    expect(decide({ reason: 'daemon_lost', retryCount: 3 }).kind).toBe('fail');
  });

  it('goes on at once when it crashed after work that took longer than the wait', () => {
    const crashed = (livedMs: number) => decide({ retryCount: 2, livedMs });
    expect(crashed(4000)).toMatchObject({ kind: 'retry', delayMs: 0 });
    expect(crashed(1500)).toMatchObject({ kind: 'retry', delayMs: 2500 });
    // A clock that was set back makes no wait longer.
    expect(crashed(-60_000)).toMatchObject({ kind: 'retry', delayMs: 4000 });
  });

  it('is given up after so many retries', () => {
    expect(decide({ retryCount: 2 })).toMatchObject({ kind: 'retry', delayMs: 4000 });
    expect(decide({ retryCount: 3 })).toEqual({
      kind: 'fail',
      message: 'Given up after 4 attempts; at last the agent crashed.',
    });
    expect(decide({ maxRetries: 0, reason: 'daemon_lost' })).toMatchObject({
      message: 'Given up after 1 attempt; at last its daemon was lost.',
    });
  });
});

describe('a supervisor', () => {
  it('is restored after everything but its own word that it failed', () => {
    for (const reason of retryReasons) {
      const decision = decide({ isSupervisor: true, retryCount: 99, reason });
      if (reason === 'agent_failed') expect(decision.kind).toBe('fail');
      else expect(decision).toEqual({ kind: 'restore', excludeDaemon: reason === 'start_failed' });
    }
  });
});

it('backs off, up to a minute', () => {
  expect([-1, 0, 1, 2, 3, 20].map(retryDelayMs)).toEqual([0, 0, 2000, 4000, 8000, 60_000]);
});
