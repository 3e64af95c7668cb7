/**
 * The life of a contract: its statuses, which may follow which, and what must be true for each step.
 *
 * Law: nobody writes a status that this table does not allow. Seed 004 fixes the names; the table is the
 * one of the surface page, guards included.
 */
import type { ActorKind } from './verdict.ts';

export const contractStatuses = [
  'created',
  'active',
  'waiting_for_input',
  'paused',
  'blocked',
  'completing',
  'completed',
  'failed',
  'archived',
] as const;

export type ContractStatus = (typeof contractStatuses)[number];

/** From each status, the statuses that may follow. */
export const contractTransitions: Readonly<Record<ContractStatus, readonly ContractStatus[]>> = {
  created: ['active', 'failed'],
  active: ['waiting_for_input', 'paused', 'blocked', 'completing', 'failed'],
  waiting_for_input: ['active', 'paused', 'completing', 'failed'],
  paused: ['active', 'failed', 'archived'],
  blocked: ['active', 'failed', 'archived'],
  completing: ['completed', 'active', 'failed'],
  completed: ['archived'],
  failed: ['archived'],
  archived: [],
};

/** What a contract in `waiting_for_input` waits for. */
export const waitingForKinds = [
  'question',
  'phase_confirmation',
  'completion_confirmation',
] as const;

export type WaitingFor = (typeof waitingForKinds)[number];

/** `failure_reason` of a contract that a person cancelled. */
export const cancelledReason = 'cancelled';

export interface ContractFacts {
  readonly by: ActorKind;
  readonly hasSupervisorTask: boolean;
  /** Open questions whose asker waits for the answer; a non-blocking question does not count. */
  readonly openQuestions: number;
  /** A phase or completion confirmation that is open now. */
  readonly openConfirmation?: Exclude<WaitingFor, 'question'> | undefined;
  /** What blocks the contract, as it will stand after this change. */
  readonly blocker?: string | undefined;
  /** The contract stands in the last phase of its type. */
  readonly terminalPhase: boolean;
  /** The gate of the present phase is met. */
  readonly gateMet: boolean;
  /** A person confirmed the completion. */
  readonly completionConfirmed?: boolean | undefined;
  /** The grace period since completion was detected is over. */
  readonly graceOver?: boolean | undefined;
}

export type ContractRefusalKind = 'same_status' | 'not_allowed' | 'actor' | 'condition';

export type ContractVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly kind: ContractRefusalKind; readonly reason: string };

/**
 * May a contract go from one status to another, given these facts? The table first, then who asks, then
 * the condition of that step. The reason of a "no" is a sentence for `rejectionReason`.
 */
export function checkContractTransition(
  from: ContractStatus,
  to: ContractStatus,
  facts: ContractFacts,
): ContractVerdict {
  if (from === to) return refuse('same_status', `The contract is already ${to}.`);
  const allowed = contractTransitions[from];
  if (!allowed.includes(to)) {
    const next =
      allowed.length === 0 ? 'nothing follows it' : `it may become ${allowed.join(', ')}`;
    return refuse('not_allowed', `A contract that is ${from} cannot become ${to}; ${next}.`);
  }
  return checkActor(from, to, facts) ?? checkCondition(from, to, facts) ?? { ok: true };
}

/** Completed, failed and archived contracts take no more work. */
export function isTerminal(status: ContractStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'archived';
}

/** Statuses in which agents of the contract may be started and may go on working. */
export function mayWork(status: ContractStatus): boolean {
  return status === 'created' || status === 'active' || status === 'waiting_for_input';
}

/** A slug is `[a-z0-9]` with single dashes inside, never empty: always a valid part of a git ref. */
export const slugMaxChars = 40;

/** The slug of a name; a name without a single usable character becomes `fallback`. */
export function slugify(name: string, fallback = 'contract'): string {
  const slug = name
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, slugMaxChars)
    .replace(/-+$/, '');
  return slug === '' ? fallback : slug;
}

/** The first of `slug`, `slug-2`, `slug-3`, ... that is not taken, within the same length. */
export function uniqueSlug(slug: string, taken: ReadonlySet<string>): string {
  if (!taken.has(slug)) return slug;
  for (let n = 2; ; n += 1) {
    const suffix = `-${n}`;
    const candidate = slug.slice(0, slugMaxChars - suffix.length).replace(/-+$/, '') + suffix;
    if (!taken.has(candidate)) return candidate;
  }
}

function checkActor(
  from: ContractStatus,
  to: ContractStatus,
  facts: ContractFacts,
): ContractVerdict | undefined {
  if (to === 'archived' && (from === 'paused' || from === 'blocked') && facts.by !== 'person') {
    return refuse('actor', `Only a person may archive a contract that is ${from}.`);
  }
  const leavesRest = to === 'active' && (from === 'paused' || from === 'completing');
  const ends = to === 'paused' || to === 'failed' || to === 'completed' || to === 'archived';
  if (facts.by === 'agent' && (leavesRest || ends)) {
    return refuse('actor', `An agent may not take a contract from ${from} to ${to}.`);
  }
  return undefined;
}

function checkCondition(
  from: ContractStatus,
  to: ContractStatus,
  facts: ContractFacts,
): ContractVerdict | undefined {
  switch (to) {
    case 'active':
      return checkActivation(from, facts);
    case 'waiting_for_input':
      return facts.openQuestions > 0 || facts.openConfirmation !== undefined
        ? undefined
        : refuse('condition', 'No question and no confirmation is open.');
    case 'blocked':
      return hasText(facts.blocker)
        ? undefined
        : refuse('condition', 'A blocked contract needs a blocker: say what it waits for.');
    case 'completing':
      return checkCompleting(from, facts);
    case 'completed':
      return facts.graceOver === true || facts.completionConfirmed === true
        ? undefined
        : refuse('condition', 'The grace period is not over and nobody confirmed the completion.');
    case 'created':
    case 'paused':
    case 'failed':
    case 'archived':
      return undefined;
  }
}

function checkActivation(from: ContractStatus, facts: ContractFacts): ContractVerdict | undefined {
  if (from === 'created' && !facts.hasSupervisorTask) {
    return refuse('condition', 'The contract has no supervisor task yet; start it first.');
  }
  if (from === 'waiting_for_input' && facts.openQuestions > 0) {
    const count =
      facts.openQuestions === 1 ? 'A question is' : `${facts.openQuestions} questions are`;
    return refuse('condition', `${count} still open.`);
  }
  if (from === 'waiting_for_input' && facts.openConfirmation !== undefined) {
    return refuse('condition', `The ${facts.openConfirmation.replace('_', ' ')} is still open.`);
  }
  if (from === 'blocked' && facts.by !== 'person' && hasText(facts.blocker)) {
    return refuse('condition', `The blocker still stands: ${facts.blocker}`);
  }
  if (from === 'completing' && facts.by !== 'person' && facts.gateMet) {
    return refuse('condition', 'Only a person may reject a completion whose gate is met.');
  }
  return undefined;
}

function checkCompleting(from: ContractStatus, facts: ContractFacts): ContractVerdict | undefined {
  if (!facts.terminalPhase) return refuse('condition', 'The contract is not in its last phase.');
  if (!facts.gateMet) return refuse('condition', 'The gate of the last phase is not met.');
  if (from === 'waiting_for_input' && facts.completionConfirmed !== true) {
    return refuse('condition', 'The completion is not confirmed.');
  }
  return undefined;
}

function hasText(text: string | undefined): boolean {
  return text !== undefined && text.trim() !== '';
}

function refuse(kind: ContractRefusalKind, reason: string): ContractVerdict {
  return { ok: false, kind, reason };
}
