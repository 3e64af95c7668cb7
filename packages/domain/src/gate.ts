/**
 * The gate of a phase: what must be there before the phase may be left.
 *
 * Law: the answer lists everything that is missing, each with a sentence that says what to do about it
 * (seed 004, phase readiness). A supervisor's own task never counts.
 */
import {
  type ContractType,
  type ExtraDeliverable,
  type TaskRequirement,
  deliverablesOf,
  findPhase,
} from './contract-type.ts';
import { type TaskStatus, isTaskComplete, isTaskFinal } from './task.ts';

export interface GateTask {
  readonly name: string;
  readonly status: TaskStatus;
  readonly isSupervisor: boolean;
}

export interface CompletedDeliverable {
  readonly id: string;
  /** What of its evidence the branch has left behind, in words. */
  readonly stale?: string | null | undefined;
}

/** What is known of the phase's validator command. */
export type ValidatorResult =
  | { readonly state: 'not_run' }
  | { readonly state: 'running' }
  | { readonly state: 'passed' }
  /** Null: it was stopped, or could not be run. */
  | {
      readonly state: 'failed';
      readonly exitCode: number | null;
      /** The end of what it printed, or why it could not be run. */
      readonly said?: string | undefined;
    };

export interface GateFacts {
  readonly type: ContractType;
  readonly phase: string;
  /** Deliverables of this very phase that were marked complete. */
  readonly completedDeliverables: readonly CompletedDeliverable[];
  readonly extraDeliverables: readonly ExtraDeliverable[];
  readonly tasks: readonly GateTask[];
  readonly validator?: ValidatorResult | undefined;
}

export type Missing =
  | {
      readonly kind: 'deliverable';
      readonly id: string;
      readonly name: string;
      readonly stale: boolean;
      readonly sentence: string;
    }
  | {
      readonly kind: 'task';
      /** Null when a number of tasks is asked for, not one by name. */
      readonly name: string | null;
      readonly status: TaskStatus | null;
      readonly sentence: string;
    }
  | {
      readonly kind: 'validator';
      readonly state: 'not_run' | 'running' | 'failed';
      readonly sentence: string;
    };

export interface Readiness {
  readonly ready: boolean;
  readonly missing: readonly Missing[];
  /** The phase asks for nothing at all. */
  readonly noGate: boolean;
}

export function readiness(facts: GateFacts): Readiness {
  const phase = findPhase(facts.type, facts.phase);
  const tasks = facts.tasks.filter((task) => !task.isSupervisor);
  const requirement = phase?.gate.tasks ?? 'none';
  const missing = [
    ...missingDeliverables(facts),
    ...missingTasks(requirement, tasks),
    ...missingValidator(phase?.gate.validator, facts.validator ?? { state: 'not_run' }),
  ];
  const required = deliverablesOf(facts.type, facts.phase, facts.extraDeliverables).some(
    (deliverable) => deliverable.required,
  );
  const noGate = !required && requirement === 'none' && phase?.gate.validator === undefined;
  return { ready: missing.length === 0, missing, noGate };
}

function missingDeliverables(facts: GateFacts): readonly Missing[] {
  const all = deliverablesOf(facts.type, facts.phase, facts.extraDeliverables);
  return all.flatMap(({ id, name, required }): Missing[] => {
    const done = facts.completedDeliverables.find((candidate) => candidate.id === id);
    const why = done?.stale ?? null;
    if (!required || (done !== undefined && why === null)) return [];
    const stale = done !== undefined;
    const sentence = stale
      ? `Deliverable ${id} is stale: ${why}; show it again.`
      : `Deliverable ${id} (${name}) is not complete.`;
    return [{ kind: 'deliverable', id, name, stale, sentence }];
  });
}

function missingTasks(
  requirement: TaskRequirement,
  tasks: readonly GateTask[],
): readonly Missing[] {
  if (requirement === 'none') return [];
  if (requirement === 'settled') {
    return tasks.filter((task) => !isTaskFinal(task.status)).map(underWay);
  }
  if (requirement === 'all_complete') return incompleteByName(tasks);
  if ('named' in requirement) {
    return requirement.named.flatMap((name) => named(name, tasks));
  }
  const complete = tasks.filter((task) => isTaskComplete(task.status)).length;
  if (complete >= requirement.atLeast) return [];
  const sentence = `${requirement.atLeast} tasks must be complete, so far ${complete}.`;
  return [{ kind: 'task', name: null, status: null, sentence }];
}

/** A name counts once: a task that failed is made good by another of the same name; cancelled ones are let go. */
function incompleteByName(tasks: readonly GateTask[]): readonly Missing[] {
  const kept = tasks.filter((task) => task.status !== 'cancelled');
  return [...new Set(kept.map((task) => task.name))].flatMap((name) => named(name, kept));
}

function named(name: string, tasks: readonly GateTask[]): readonly Missing[] {
  const same = tasks.filter((task) => task.name === name);
  if (same.some((task) => isTaskComplete(task.status))) return [];
  const open = same.find((task) => !isTaskFinal(task.status)) ?? same.at(-1);
  if (open === undefined) {
    return [{ kind: 'task', name, status: null, sentence: `Task '${name}' was never spawned.` }];
  }
  return [isTaskFinal(open.status) ? ended(open) : underWay(open)];
}

function underWay(task: GateTask): Missing {
  const sentence = `Task '${task.name}' is ${task.status}.`;
  return { kind: 'task', name: task.name, status: task.status, sentence };
}

function ended(task: GateTask): Missing {
  const sentence = `Task '${task.name}' is ${task.status}; spawn it again under the same name.`;
  return { kind: 'task', name: task.name, status: task.status, sentence };
}

function missingValidator(
  command: readonly string[] | undefined,
  result: ValidatorResult,
): readonly Missing[] {
  if (command === undefined || result.state === 'passed') return [];
  const shown = `\`${command.join(' ')}\``;
  switch (result.state) {
    case 'not_run':
      return [
        { kind: 'validator', state: 'not_run', sentence: `Validator ${shown} has not run yet.` },
      ];
    case 'running':
      return [{ kind: 'validator', state: 'running', sentence: `Validator ${shown} is running.` }];
    case 'failed': {
      const ended =
        result.exitCode === null ? 'could not be run' : `exited with ${result.exitCode}`;
      const said = result.said === undefined || result.said === '' ? '.' : `: ${result.said}`;
      const sentence = `Validator ${shown} ${ended}${said}`;
      return [{ kind: 'validator', state: 'failed', sentence }];
    }
  }
}
