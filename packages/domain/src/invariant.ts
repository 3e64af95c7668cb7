/**
 * What must hold in the stored rows whatever happened, as far as rows alone can show it: one kind for each way
 * in which they can be broken, in words for people.
 *
 * Law: a kind is one cause; whether it may be healed without a person is said here. What constraints and
 * triggers of the store refuse already has no kind.
 */

export interface Invariant {
  /** What is wrong, as a sentence without its subject's name. */
  readonly says: string;
  /** Whether the verbs that exist put it right without risk, or a person has to look. */
  readonly heals: boolean;
}

export const invariants = {
  task_without_attempt: { says: 'a task is at work, but nothing of it runs', heals: true },
  attempt_superseded: { says: 'an attempt lives that is not the newest of its task', heals: true },
  attempt_at_rest: { says: 'a supervisor sleeps, but an attempt of it lives', heals: true },
  lease_overdue: { says: 'a lease ran out and nobody gave it up', heals: true },
  epoch_differs: { says: 'a supervisor and its task count differently', heals: false },
  way_back_missing: { says: 'an interrupted task was not taken up again', heals: true },
  sleeps_for_nothing: { says: 'a supervisor sleeps, and nothing is left to wake it', heals: true },
  waits_for_nobody: { says: 'a supervisor waits for an answer to no question', heals: true },
  contract_leaderless: { says: 'a contract goes on, but its supervisor has ended', heals: true },
  contract_waits_for_nothing: {
    says: 'a contract waits for a person, but nothing is asked',
    heals: true,
  },
  question_of_the_ended: { says: 'a question is open whose asker has ended', heals: true },
  wait_overdue: { says: 'the time of a wait is over, but it is open', heals: true },
  wait_come: { says: 'what a wait is for has come, but it is open', heals: true },
  wait_of_the_ended: { says: 'a wait is open whose waiter has ended', heals: true },
  work_of_the_ended: { says: 'a contract is over, but a task of it is not', heals: true },
  command_not_taken: { says: 'a machine that is here does not take its commands', heals: true },
  mail_not_sent: { says: 'jobs wait to be queued', heals: false },
  guard_passed: { says: 'a guarded phase was left without a person', heals: false },
  events_differ: {
    says: 'the events of a contract are not numbered as they are counted',
    heals: false,
  },
  output_differs: { says: 'the output of a running attempt lacks lines', heals: false },
} as const satisfies Readonly<Record<string, Invariant>>;

export type InvariantKind = keyof typeof invariants;

export const invariantKinds = Object.keys(invariants) as readonly InvariantKind[];

/** The sentence of a kind that an incident names; empty for a kind of something else. */
export function invariantWords(kind: string): string {
  return Object.hasOwn(invariants, kind) ? invariants[kind as InvariantKind].says : '';
}
