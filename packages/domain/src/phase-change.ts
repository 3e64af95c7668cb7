/**
 * May the contract go to the next phase? Five answers, never a silent failure (the fifth, "not found", is
 * the caller's: there is no contract to decide about).
 *
 * Law: the guard is a security boundary. Only a person's confirmation passes it, and only for the contract
 * version, phase and deliverables that the person saw. Force skips missing deliverables, never a guard.
 */
import { type ContractType, findPhase, nextPhase } from './contract-type.ts';
import { type Evidence, canonicalEvidence } from './evidence.ts';
import type { Missing, Readiness } from './gate.ts';
import { type ActorKind, type Verdict, no, yes } from './verdict.ts';

/** A person's yes, as it was stored. */
export interface Confirmation {
  readonly by: ActorKind;
  readonly version: number;
  readonly from: string;
  readonly to: string;
  /** Hash of `confirmationDigest` of what the person saw. */
  readonly digest: string;
}

/** What a confirmation must equal, as it stands now. */
export type ConfirmationFacts = Omit<Confirmation, 'by'>;

export interface PhaseChange {
  readonly type: ContractType;
  readonly current: string;
  readonly target: string;
  /** The contract's version now. */
  readonly version: number;
  /** The version that the caller saw; undefined when it named none. */
  readonly expectedVersion?: number | undefined;
  /** Leaving the current phase is guarded. */
  readonly guarded: boolean;
  readonly confirmation?: Confirmation | undefined;
  /** Hash of `confirmationDigest` of the present facts. */
  readonly digest: string;
  readonly readiness: Readiness;
  readonly by: ActorKind;
  readonly force?: boolean | undefined;
}

/** What stands in the way: something missing, or a target that is not the next phase. */
export type Obstacle =
  | Missing
  | { readonly kind: 'phase'; readonly next: string | null; readonly sentence: string };

export type PhaseDecision =
  | { readonly kind: 'success'; readonly to: string; readonly skipped: readonly Missing[] }
  | {
      readonly kind: 'version_conflict';
      readonly expected: number;
      readonly actual: number;
      readonly currentPhase: string;
    }
  | { readonly kind: 'validation_failed'; readonly missing: readonly Obstacle[] }
  | {
      readonly kind: 'guard_required';
      readonly from: string;
      readonly to: string;
      readonly version: number;
      /** Why the confirmation that was given does not hold; null when none was given. */
      readonly voided: string | null;
    }
  | { readonly kind: 'unauthorized'; readonly reason: string };

export function decidePhaseChange(change: PhaseChange): PhaseDecision {
  const { expectedVersion, version, current, target } = change;
  if (expectedVersion !== undefined && expectedVersion !== version) {
    return {
      kind: 'version_conflict',
      expected: expectedVersion,
      actual: version,
      currentPhase: current,
    };
  }
  if (change.force === true && change.by !== 'person') {
    return { kind: 'unauthorized', reason: 'Only a person may skip missing deliverables.' };
  }
  if (change.confirmation !== undefined && change.confirmation.by !== 'person') {
    return { kind: 'unauthorized', reason: 'Only a person may confirm that a phase is left.' };
  }
  const obstacle = wrongTarget(change);
  if (obstacle !== undefined) return { kind: 'validation_failed', missing: [obstacle] };
  const forced = change.force === true;
  const skipped = change.readiness.missing.filter((item) => forced && item.kind === 'deliverable');
  const missing = change.readiness.missing.filter((item) => !skipped.includes(item));
  if (missing.length > 0) return { kind: 'validation_failed', missing };
  const guard = checkGuard(change);
  return guard ?? { kind: 'success', to: target, skipped };
}

/** Does a confirmation still speak of what is there now? */
export function confirmationHolds(confirmation: Confirmation, now: ConfirmationFacts): Verdict {
  if (confirmation.by !== 'person') return no('It was not a person who confirmed.');
  if (confirmation.from !== now.from || confirmation.to !== now.to) {
    return no(
      `It was for ${confirmation.from} to ${confirmation.to}, not for ${now.from} to ${now.to}.`,
    );
  }
  if (confirmation.version !== now.version) {
    return no(`The contract changed since: version ${confirmation.version} was confirmed.`);
  }
  if (confirmation.digest !== now.digest) return no('The deliverables changed since.');
  return yes;
}

export interface DigestInput {
  readonly version: number;
  readonly from: string;
  readonly to: string;
  readonly deliverables: readonly {
    readonly id: string;
    readonly evidence: readonly Evidence[];
  }[];
}

/** One text for one state of affairs, whatever the order of rows; the caller hashes it. */
export function confirmationDigest(input: DigestInput): string {
  const deliverables = input.deliverables
    .map(({ id, evidence }) => [
      id,
      ...evidence.map((item) => JSON.stringify(canonicalEvidence(item))).toSorted(),
    ])
    .map((entry) => JSON.stringify(entry))
    .toSorted();
  return JSON.stringify(['phase', 1, input.version, input.from, input.to, deliverables]);
}

function checkGuard(change: PhaseChange): PhaseDecision | undefined {
  if (!change.guarded) return undefined;
  const { current: from, target: to, version, digest, confirmation } = change;
  if (confirmation === undefined)
    return { kind: 'guard_required', from, to, version, voided: null };
  const verdict = confirmationHolds(confirmation, { version, from, to, digest });
  return verdict.ok
    ? undefined
    : { kind: 'guard_required', from, to, version, voided: verdict.reason };
}

function wrongTarget({ type, current, target }: PhaseChange): Obstacle | undefined {
  const next = nextPhase(type, current) ?? null;
  if (target === next) return undefined;
  if (findPhase(type, target) === undefined) {
    const names = type.phases.map((phase) => phase.name).join(', ');
    return {
      kind: 'phase',
      next,
      sentence: `Phase '${target}' is unknown; ${type.name} has ${names}.`,
    };
  }
  const after =
    next === null
      ? `'${current}' is the last phase; the contract is completed, not advanced.`
      : `After '${current}' comes '${next}', not '${target}'.`;
  return { kind: 'phase', next, sentence: after };
}
