/**
 * When a supervisor that waits gives up its process, and what starts it again.
 *
 * Law: parked is only who will be woken: by a wait, an answer, a message, or because nothing is left to wait
 * for. Whatever came while it was being parked counts as come, even if its last process may have read it: to
 * be told twice is harmless, never to be told is not.
 */
import type { SupervisorState } from './supervisor.ts';

/** What may still wake it. */
export interface Pending {
  readonly state: SupervisorState;
  readonly openWaits: number;
  /** Blocking questions that it asked or that wait for a confirmation of its contract. */
  readonly openQuestions: number;
  /** Tasks of its contract that have not ended; it is told of their end while it is idle. */
  readonly openTasks: number;
  /** Its contract completes: the clean-up ends it, unless a person says no, which it is told. */
  readonly isCompleting: boolean;
}

export interface ParkFacts extends Pending {
  /** Since when it is in its state. */
  readonly since: Date;
  /** Messages that it has not read. */
  readonly unreadMessages: number;
  /** How long it may wait with a process; null: as long as it likes. */
  readonly parkAfterMs: number | null;
}

const waiting: ReadonlySet<SupervisorState> = new Set([
  'idle',
  'waiting_for_user',
  'waiting_for_tasks',
]);

/** So long a supervisor may wait with a process on a machine where others wait for its place, in milliseconds. */
export const crowdedParkMs = 10_000;

/** How long it may wait now; what its contract says of itself holds also where others wait. */
export function patienceNow(args: {
  readonly parkAfterMs: number | null;
  readonly chosen: 'contract' | 'installation';
  readonly machine: 'crowded' | 'roomy';
}): number | null {
  const { parkAfterMs, chosen, machine } = args;
  if (parkAfterMs === null || chosen === 'contract' || machine === 'roomy') return parkAfterMs;
  return Math.min(parkAfterMs, crowdedParkMs);
}

export function mayPark(facts: ParkFacts, now: Date): boolean {
  const { parkAfterMs, since } = facts;
  if (parkAfterMs === null || !waiting.has(facts.state) || facts.unreadMessages > 0) return false;
  return now.getTime() - since.getTime() >= parkAfterMs && somethingComes(facts);
}

/** What has come since it was asked to park. */
export interface Come {
  /** Waits that were satisfied, and ends of tasks that it is told of. */
  readonly satisfied: number;
  readonly timedOut: number;
  readonly answers: number;
  /** Any other words. */
  readonly messages: number;
}

/**
 * `withdrawn`: nobody will ever answer or end what it waited for. `asked`: a person wants it to go on.
 * `limit`: the usage limit that stopped it is over.
 */
export type WakeReason =
  | 'satisfied'
  | 'timed_out'
  | 'answered'
  | 'message'
  | 'withdrawn'
  | 'asked'
  | 'limit';

/** Why a parked supervisor is started again; null: it sleeps on. */
export function wakeReason(pending: Pending, come: Come): WakeReason | null {
  if (come.satisfied > 0) return 'satisfied';
  if (come.timedOut > 0) return 'timed_out';
  if (come.answers > 0) return 'answered';
  if (come.messages > 0) return 'message';
  return somethingComes(pending) ? null : 'withdrawn';
}

function somethingComes(pending: Pending): boolean {
  const { state, openWaits, openQuestions, openTasks, isCompleting } = pending;
  return isCompleting || openWaits > 0 || openQuestions > 0 || (state === 'idle' && openTasks > 0);
}
