/**
 * The outcomes of a phase change and of a completion as answers. The verb gives values, because a request for confirmation that
 * it opened must be committed; here all but success become the problem with their code.
 */
import { MakimaError } from '@makima/domain/error';
import type { PhaseOutcome } from '@makima/engine/contract/change-phase';
import type { CompletionOutcome } from '@makima/engine/contract/request-completion';

export type PhaseSuccess = Omit<Extract<PhaseOutcome, { outcome: 'success' }>, 'outcome'>;

export type CompletionSuccess = Omit<Extract<CompletionOutcome, { outcome: 'success' }>, 'outcome'>;

/** What the word that a contract is complete answers; throws the problem of every other outcome. */
export function completionAnswer(outcome: CompletionOutcome): CompletionSuccess {
  if (outcome.outcome !== 'success') throw completionProblem(outcome);
  const { outcome: _, ...answer } = outcome;
  return answer;
}

export function completionProblem(
  outcome: Exclude<CompletionOutcome, { outcome: 'success' }>,
): MakimaError {
  const { outcome: kind, ...details } = outcome;
  if (kind === 'guard_required') return guardProblem(details);
  const detail = outcome.missing.join(' ');
  return new MakimaError('VALIDATION_FAILED', 'the contract is not complete yet', {
    details: { ...details, errors: [{ pointer: '', detail }] },
    fix: 'do what is missing, then say it again',
  });
}

function guardProblem(details: Readonly<Record<string, unknown>>): MakimaError {
  return new MakimaError(
    'PHASE_GUARD_REQUIRED',
    'a person has to confirm this; the request is in the inbox',
    { details, fix: 'answer its question, or `makima contracts advance --confirm`' },
  );
}

/** What a successful change answers; throws the problem of every other outcome. */
export function phaseAnswer(outcome: PhaseOutcome): PhaseSuccess {
  if (outcome.outcome !== 'success') throw phaseProblem(outcome);
  const { outcome: _, ...answer } = outcome;
  return answer;
}

export function phaseProblem(outcome: Exclude<PhaseOutcome, { outcome: 'success' }>): MakimaError {
  const { outcome: kind, ...details } = outcome;
  switch (kind) {
    case 'version_conflict':
      return new MakimaError('VERSION_CONFLICT', 'the contract changed since you read it', {
        details,
        fix: 'read the contract again and decide anew',
      });
    case 'validation_failed':
      return (
        wrongPhase(outcome, details) ??
        new MakimaError('VALIDATION_FAILED', 'the phase cannot be left yet', {
          details: { ...details, errors: [{ pointer: '/phase', detail: whatIsMissing(outcome) }] },
          fix: 'complete what is missing; GET …/phase-readiness lists it',
        })
      );
    case 'guard_required':
      return guardProblem(details);
    case 'forbidden':
      return new MakimaError(
        'FORBIDDEN',
        (details as { reason?: string }).reason ?? 'this may not be confirmed',
      );
  }
}

/** The fault is the name of the phase: nothing is missing, and force would not help. */
function wrongPhase(
  outcome: PhaseOutcome,
  details: Readonly<Record<string, unknown>>,
): MakimaError | undefined {
  if (outcome.outcome !== 'validation_failed') return undefined;
  const fault = outcome.missing.find((item) => item.kind === 'phase');
  if (fault === undefined) return undefined;
  return new MakimaError('VALIDATION_FAILED', 'the contract cannot go to that phase', {
    details: { ...details, errors: [{ pointer: '/phase', detail: fault.reason }] },
    fix: 'name the phase that comes next: GET /api/v1/contracts/{id} has `phases` in their order',
  });
}

function whatIsMissing(outcome: PhaseOutcome): string {
  if (outcome.outcome !== 'validation_failed') return '';
  return outcome.missing.map((item) => item.reason).join('; ') || 'something is missing';
}
