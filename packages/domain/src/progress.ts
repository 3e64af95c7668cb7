/**
 * How far a contract has come, 0 to 100, as its supervisor's status and heartbeats say it: phases that were
 * left, and in the present one the deliverables that count and the tasks that are complete.
 *
 * Law: measured from what is stored, never from what an agent says of itself. It does not fall while a phase
 * lasts, whatever is spawned beside; 100 is the word of a contract that is completed, and of nothing else.
 */
import {
  type ContractType,
  type ExtraDeliverable,
  deliverablesOf,
  findPhase,
} from './contract-type.ts';
import type { CompletedDeliverable } from './gate.ts';
import { type TaskStatus, isTaskComplete } from './task.ts';

export const progressWhenCompleted = 100;

export interface ProgressFacts {
  readonly type: ContractType;
  readonly phase: string;
  /** Of this very phase. */
  readonly completedDeliverables: readonly CompletedDeliverable[];
  readonly extraDeliverables: readonly ExtraDeliverable[];
  /** Spawned since this phase began; the supervisor's own is none of them. */
  readonly tasks: readonly { readonly name: string; readonly status: TaskStatus }[];
  /** What was said last. */
  readonly before: number;
}

export function progressOf(facts: ProgressFacts): number {
  const { phases } = facts.type;
  const index = phases.findIndex(({ name }) => name === facts.phase);
  if (findPhase(facts.type, facts.phase) === undefined) return facts.before;
  const percent = (passed: number): number =>
    Math.min(progressWhenCompleted - 1, Math.floor((100 * passed) / phases.length));
  // What was said in another phase counts as far as this one reaches: one that was gone back to says less.
  const before = Math.min(facts.before, percent(index + 1));
  return Math.max(before, percent(index + shareOf(facts)));
}

/** Of the present phase, 0 to 1: what it owes and what was spawned in it count alike. */
function shareOf(facts: ProgressFacts): number {
  const shares = [deliverableShare(facts), taskShare(facts)].filter((share) => share !== undefined);
  if (shares.length === 0) return 0;
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

function deliverableShare(facts: ProgressFacts): number | undefined {
  const owed = deliverablesOf(facts.type, facts.phase, facts.extraDeliverables).filter(
    ({ required }) => required,
  );
  const counts = new Set(
    facts.completedDeliverables.filter(({ stale }) => stale == null).map(({ id }) => id),
  );
  if (owed.length === 0) return undefined;
  return owed.filter(({ id }) => counts.has(id)).length / owed.length;
}

/** As the gate counts them: by name, so that one that failed is made good by another; cancelled ones are let go. */
function taskShare({ tasks }: ProgressFacts): number | undefined {
  const names = new Set(tasks.filter((t) => t.status !== 'cancelled').map((t) => t.name));
  if (names.size === 0) return undefined;
  const complete = new Set(tasks.filter((t) => isTaskComplete(t.status)).map((t) => t.name));
  return complete.size / names.size;
}
