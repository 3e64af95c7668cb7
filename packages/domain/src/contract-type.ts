/**
 * Contract types: the phases that a contract goes through and what each owes. Two are built in; people may
 * bring their own of the same shape.
 *
 * Law: a type is data. Phases are walked in order, the last is the terminal one; leaving it is completion.
 * Whether leaving a phase needs a person is a switch of the contract, not of the type.
 */
import { type Verdict, no, yes } from './verdict.ts';

export interface Deliverable {
  /** Lower case with dashes; unique within its phase. */
  readonly id: string;
  readonly name: string;
  readonly required: boolean;
}

/**
 * What the gate asks of a phase's tasks (the supervisor's own never counts): nothing, that none is still
 * under way, that all are complete, that at least N are, or that those of these names are.
 */
export type TaskRequirement =
  | 'none'
  | 'settled'
  | 'all_complete'
  | { readonly atLeast: number }
  | { readonly named: readonly string[] };

export interface Gate {
  readonly tasks: TaskRequirement;
  /** An argument list, run by a daemon at the deliverables' commit; exit code 0 is a yes. */
  readonly validator?: readonly string[] | undefined;
  /** How long the validator may take. */
  readonly validatorTimeoutSeconds?: number | undefined;
  /** False: the owner is told that the gate is met, and nothing moves by itself. */
  readonly autoAdvance?: boolean | undefined;
}

/** So long a validator may take when its gate says nothing. */
export const validatorTimeoutSeconds = 600;

export interface PhaseDefinition {
  readonly name: string;
  readonly deliverables: readonly Deliverable[];
  readonly gate: Gate;
  readonly terminal: boolean;
}

export interface ContractType {
  readonly name: string;
  readonly version: number;
  readonly phases: readonly PhaseDefinition[];
}

/** How many versions of a type there are, and how large one may be. */
export const typeLimits = { phases: 20, deliverables: 50, versions: 1_000 } as const;

/** A folder of types as files: what of it is read. */
export const typeFolder = { ending: '.json', filesMax: 100, bytesMax: 262_144 } as const;

/** An optional deliverable that one contract adds to a phase. */
export interface ExtraDeliverable extends Deliverable {
  readonly phase: string;
}

const owed = (id: string, name: string): Deliverable => ({ id, name, required: true });

const planPhase: PhaseDefinition = {
  name: 'plan',
  deliverables: [owed('plan-document', 'Plan document')],
  gate: { tasks: 'none' },
  terminal: false,
};

const implementation = owed('implementation', 'Implementation');

export const builtinTypes: Readonly<Record<'simple' | 'specification', ContractType>> = {
  simple: {
    name: 'simple',
    version: 1,
    phases: [
      planPhase,
      {
        name: 'execute',
        deliverables: [implementation],
        gate: { tasks: 'settled' },
        terminal: true,
      },
    ],
  },
  specification: {
    name: 'specification',
    version: 1,
    phases: [
      {
        name: 'research',
        deliverables: [owed('research-notes', 'Research notes')],
        gate: { tasks: 'none' },
        terminal: false,
      },
      {
        name: 'specify',
        deliverables: [owed('requirements-document', 'Requirements document')],
        gate: { tasks: 'none' },
        terminal: false,
      },
      planPhase,
      {
        name: 'execute',
        deliverables: [implementation, owed('tests-passing', 'Tests passing')],
        gate: { tasks: 'settled' },
        terminal: false,
      },
      {
        name: 'review',
        deliverables: [owed('review-report', 'Review report')],
        gate: { tasks: 'settled' },
        terminal: true,
      },
    ],
  },
};

/** Whether a phase that is met is left by itself, as far as its type says so. */
export function advancesByType(type: ContractType, phase: string): boolean {
  return findPhase(type, phase)?.gate.autoAdvance ?? true;
}

/** The same type, in which this phase asks for no validator. */
export function withoutValidator(type: ContractType, phase: string): ContractType {
  const phases = type.phases.map((each) => {
    if (each.name !== phase) return each;
    const { tasks, autoAdvance } = each.gate;
    return { ...each, gate: { tasks, ...(autoAdvance === undefined ? {} : { autoAdvance }) } };
  });
  return { ...type, phases };
}

/** A phase as people write it: what is not said is not asked for. */
export interface PhaseDraft {
  readonly name: string;
  readonly deliverables: readonly Deliverable[];
  readonly gate: Gate;
}

/** A type of these phases, in their order; the last is the terminal one. Not checked. */
export function typeOf(name: string, version: number, phases: readonly PhaseDraft[]): ContractType {
  return {
    name,
    version,
    phases: phases.map((phase, at) => ({ ...phase, terminal: at === phases.length - 1 })),
  };
}

/** A built-in type by its name. */
export function findType(name: string): ContractType | undefined {
  return Object.values(builtinTypes).find((type) => type.name === name);
}

export function findPhase(type: ContractType, phase: string): PhaseDefinition | undefined {
  return type.phases.find((candidate) => candidate.name === phase);
}

/** The phase in which a contract of this type begins. A checked type has at least one. */
export function firstPhase(type: ContractType): string {
  return type.phases[0]?.name ?? '';
}

/** The phase after this one; undefined after the terminal phase and for an unknown one. */
export function nextPhase(type: ContractType, phase: string): string | undefined {
  const at = type.phases.findIndex((candidate) => candidate.name === phase);
  return at < 0 ? undefined : type.phases[at + 1]?.name;
}

export function isTerminalPhase(type: ContractType, phase: string): boolean {
  return findPhase(type, phase)?.terminal ?? false;
}

export interface GuardSwitch {
  /** The contract's switch: leaving a phase needs a person's confirmation. */
  readonly phaseGuard: boolean;
  /** Only these phases, instead of all that are not terminal. */
  readonly phases?: readonly string[] | undefined;
}

/** The phases that nobody leaves without a person's confirmation. The terminal one is never among them. */
export function guardedPhases(type: ContractType, guard: GuardSwitch): readonly string[] {
  if (!guard.phaseGuard) return [];
  return type.phases
    .filter((phase) => !phase.terminal && (guard.phases?.includes(phase.name) ?? true))
    .map((phase) => phase.name);
}

export type DeliverableVerdict =
  | { readonly ok: true; readonly deliverable: Deliverable }
  | { readonly ok: false; readonly validIds: readonly string[] };

/** Is this id a deliverable of that phase, by the type or added by the contract? */
export function checkDeliverable(
  type: ContractType,
  phase: string,
  id: string,
  extra: readonly ExtraDeliverable[] = [],
): DeliverableVerdict {
  const all = deliverablesOf(type, phase, extra);
  const deliverable = all.find((candidate) => candidate.id === id);
  return deliverable === undefined
    ? { ok: false, validIds: all.map((candidate) => candidate.id) }
    : { ok: true, deliverable };
}

/** All deliverables of a phase, the type's first, then the contract's own. */
export function deliverablesOf(
  type: ContractType,
  phase: string,
  extra: readonly ExtraDeliverable[] = [],
): readonly Deliverable[] {
  const definition = findPhase(type, phase);
  if (definition === undefined) return [];
  return [...definition.deliverables, ...extra.filter((added) => added.phase === phase)];
}

const idPattern = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** Is this a type that contracts can be made of? For types that people define. */
export function checkContractType(type: ContractType): Verdict {
  if (!idPattern.test(type.name)) return no(`Type '${type.name}' is not lower case with dashes.`);
  if (type.phases.length === 0) return no('A contract type needs at least one phase.');
  const names = new Set<string>();
  for (const [index, phase] of type.phases.entries()) {
    if (!idPattern.test(phase.name))
      return no(`Phase '${phase.name}' is not lower case with dashes.`);
    if (names.has(phase.name)) return no(`Phase '${phase.name}' appears twice.`);
    names.add(phase.name);
    const last = index === type.phases.length - 1;
    if (phase.terminal !== last) return no('The last phase, and only the last, is terminal.');
    const verdict = checkPhase(phase);
    if (!verdict.ok) return verdict;
  }
  return yes;
}

function checkPhase(phase: PhaseDefinition): Verdict {
  const ids = new Set<string>();
  for (const { id } of phase.deliverables) {
    if (!idPattern.test(id)) return no(`Deliverable '${id}' is not lower case with dashes.`);
    if (ids.has(id)) return no(`Deliverable '${id}' appears twice in phase '${phase.name}'.`);
    ids.add(id);
  }
  const { tasks, validator } = phase.gate;
  if (
    typeof tasks === 'object' &&
    'atLeast' in tasks &&
    !(Number.isInteger(tasks.atLeast) && tasks.atLeast > 0)
  ) {
    return no(`The gate of phase '${phase.name}' needs a positive number of tasks.`);
  }
  if (typeof tasks === 'object' && 'named' in tasks && tasks.named.length === 0) {
    return no(`The gate of phase '${phase.name}' names no task.`);
  }
  if (validator !== undefined && (validator[0] ?? '') === '') {
    return no(`The validator of phase '${phase.name}' names no command.`);
  }
  return yes;
}
