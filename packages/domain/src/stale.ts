/**
 * When a contract counts as stale: active, not waiting, with a process behind it, and no progress for long.
 *
 * Law: progress is output, a tool call or an event; a heartbeat is not progress. What waits, rests or is
 * limited is never stale.
 */
import type { ContractStatus } from './contract.ts';
import type { TaskSession } from './task.ts';

export const staleThresholdMs = 30 * 60_000;

export interface StaleFacts {
  readonly status: ContractStatus;
  readonly supervisorSession: TaskSession;
  readonly lastProgressAt: Date;
  readonly thresholdMs: number;
}

export function isStale(facts: StaleFacts, now: Date): boolean {
  if (facts.status !== 'active') return false;
  if (facts.supervisorSession === 'parked' || facts.supervisorSession === 'limited') return false;
  return now.getTime() - facts.lastProgressAt.getTime() >= facts.thresholdMs;
}
