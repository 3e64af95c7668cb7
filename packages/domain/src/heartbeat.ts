/**
 * The heartbeat of a supervisor (seed 004): what a daemon says of those that it runs, and how long silence
 * may last.
 *
 * Law: a heartbeat is telemetry; it renews nothing and restores nobody. Leases decide about that. Who rests
 * on purpose (parked, limited, paused, or over) is expected to be silent, and so is who waits for a place.
 */
import { type ContractStatus, mayWork } from './contract.ts';
import { type SupervisorState, isSupervisorFinal } from './supervisor.ts';
import type { TaskSession, TaskStatus } from './task.ts';

export interface HeartbeatFacts {
  readonly contractStatus: ContractStatus;
  readonly taskStatus: TaskStatus;
  readonly session: TaskSession;
  readonly state: SupervisorState;
  /** Null: it was never heard of. */
  readonly lastHeartbeatAt: Date | null;
  readonly timeoutMs: number;
}

export type Pulse =
  | { readonly kind: 'beats' }
  /** It never began, waits for a place, or rests: nobody waits for a beat. */
  | { readonly kind: 'silent_by_right' }
  | { readonly kind: 'dead'; readonly silentMs: number };

export function pulseOf(facts: HeartbeatFacts, now: Date): Pulse {
  const { lastHeartbeatAt, session, state, taskStatus } = facts;
  const rests =
    session === 'parked' ||
    session === 'limited' ||
    taskStatus === 'paused' ||
    taskStatus === 'pending';
  const over = !mayWork(facts.contractStatus) || isSupervisorFinal(state);
  if (lastHeartbeatAt === null || rests || over) return { kind: 'silent_by_right' };
  const silentMs = now.getTime() - lastHeartbeatAt.getTime();
  return silentMs > facts.timeoutMs ? { kind: 'dead', silentMs } : { kind: 'beats' };
}
