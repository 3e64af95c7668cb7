/** The contract's transition table and its guards, and slugs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ContractFacts,
  type ContractStatus,
  checkContractTransition,
  contractStatuses,
  contractTransitions,
  isTerminal,
  mayWork,
  slugMaxChars,
  slugify,
  uniqueSlug,
} from './contract.ts';

/** Facts under which nothing but the table and the actor can refuse. */
const open: ContractFacts = {
  by: 'person',
  hasSupervisorTask: true,
  openQuestions: 0,
  terminalPhase: true,
  gateMet: true,
  completionConfirmed: true,
  graceOver: true,
};

const waiting = { ...open, openQuestions: 1 };

function factsFor(to: ContractStatus): ContractFacts {
  if (to === 'waiting_for_input') return waiting;
  return to === 'blocked' ? { ...open, blocker: 'no licence' } : open;
}

function refusal(from: ContractStatus, to: ContractStatus, facts: Partial<ContractFacts>) {
  const verdict = checkContractTransition(from, to, { ...factsFor(to), ...facts });
  return verdict.ok ? 'ok' : `${verdict.kind}: ${verdict.reason}`;
}

describe('the table', () => {
  it('is the one of the surface page', () => {
    expect(contractTransitions).toEqual({
      created: ['active', 'failed'],
      active: ['waiting_for_input', 'paused', 'blocked', 'completing', 'failed'],
      waiting_for_input: ['active', 'paused', 'completing', 'failed'],
      paused: ['active', 'failed', 'archived'],
      blocked: ['active', 'failed', 'archived'],
      completing: ['completed', 'active', 'failed'],
      completed: ['archived'],
      failed: ['archived'],
      archived: [],
    });
  });

  it('decides every pair when no guard stands in the way', () => {
    for (const from of contractStatuses) {
      for (const to of contractStatuses) {
        const verdict = checkContractTransition(from, to, factsFor(to));
        expect(verdict.ok, `${from} -> ${to}`).toBe(contractTransitions[from].includes(to));
      }
    }
  });

  it('never lets guards open what the table shuts', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...contractStatuses),
        fc.constantFrom(...contractStatuses),
        fc.record({
          by: fc.constantFrom('person' as const, 'system' as const, 'agent' as const),
          hasSupervisorTask: fc.boolean(),
          openQuestions: fc.nat(3),
          openConfirmation: fc.constantFrom(undefined, 'phase_confirmation' as const),
          blocker: fc.constantFrom(undefined, '', 'disk'),
          terminalPhase: fc.boolean(),
          gateMet: fc.boolean(),
          completionConfirmed: fc.boolean(),
          graceOver: fc.boolean(),
        }),
        (from, to, facts) => {
          const verdict = checkContractTransition(from, to, facts);
          if (verdict.ok) expect(contractTransitions[from]).toContain(to);
          else expect(verdict.reason).toMatch(/^[\x20-\x7e]+\.?$/);
        },
      ),
    );
  });

  it('says what may follow instead', () => {
    expect(refusal('created', 'paused', {})).toBe(
      'not_allowed: A contract that is created cannot become paused; it may become active, failed.',
    );
    expect(refusal('archived', 'active', {})).toContain('nothing follows it');
    expect(refusal('active', 'active', {})).toBe('same_status: The contract is already active.');
  });

  it('knows which statuses are terminal and which work', () => {
    expect(contractStatuses.filter(isTerminal)).toEqual(['completed', 'failed', 'archived']);
    expect(contractStatuses.filter(mayWork)).toEqual(['created', 'active', 'waiting_for_input']);
  });
});

describe('who asks', () => {
  it('lets an agent neither rest nor end a contract, nor bring it back', () => {
    const refused: [ContractStatus, ContractStatus][] = [
      ['active', 'paused'],
      ['active', 'failed'],
      ['completing', 'completed'],
      ['completed', 'archived'],
      ['paused', 'active'],
      ['completing', 'active'],
    ];
    for (const [from, to] of refused) {
      expect(refusal(from, to, { by: 'agent' }), `${from} -> ${to}`).toMatch(/^actor/);
      expect(refusal(from, to, { by: 'person' })).toBe('ok');
    }
    expect(refusal('active', 'blocked', { by: 'agent' })).toBe('ok');
    expect(refusal('active', 'waiting_for_input', { by: 'agent' })).toBe('ok');
  });

  it('leaves archiving of unfinished work to people', () => {
    for (const from of ['paused', 'blocked'] as const) {
      expect(refusal(from, 'archived', { by: 'system' })).toMatch(/^actor: Only a person/);
    }
    expect(refusal('completed', 'archived', { by: 'system' })).toBe('ok');
  });
});

describe('conditions', () => {
  it('starts only with a supervisor task', () => {
    expect(refusal('created', 'active', { hasSupervisorTask: false })).toMatch(/^condition/);
  });

  it('waits only for something open', () => {
    expect(refusal('active', 'waiting_for_input', { openQuestions: 0 })).toMatch(/^condition/);
    const openConfirmation = 'phase_confirmation';
    expect(refusal('active', 'waiting_for_input', { openQuestions: 0, openConfirmation })).toBe(
      'ok',
    );
  });

  it('goes on only when nothing is open any more', () => {
    const from = 'waiting_for_input';
    expect(refusal(from, 'active', { openQuestions: 1 })).toContain('A question is still open');
    expect(refusal(from, 'active', { openQuestions: 2 })).toContain('2 questions are still open');
    const openConfirmation = 'completion_confirmation';
    expect(refusal(from, 'active', { openConfirmation })).toContain('completion confirmation');
  });

  it('blocks with a blocker, and clears when it is gone or a person says so', () => {
    expect(refusal('active', 'blocked', { blocker: undefined })).toMatch(/^condition/);
    expect(refusal('active', 'blocked', { blocker: '  ' })).toMatch(/^condition/);
    expect(refusal('blocked', 'active', { by: 'system', blocker: 'disk' })).toContain('disk');
    expect(refusal('blocked', 'active', { by: 'system' })).toBe('ok');
    expect(refusal('blocked', 'active', { by: 'person', blocker: 'disk' })).toBe('ok');
  });

  it('completes from the last phase, its gate met, confirmed or after the grace', () => {
    expect(refusal('active', 'completing', { terminalPhase: false })).toContain('last phase');
    expect(refusal('active', 'completing', { gateMet: false })).toContain('gate');
    expect(refusal('active', 'completing', { completionConfirmed: false })).toBe('ok');
    const unconfirmed = { completionConfirmed: false };
    expect(refusal('waiting_for_input', 'completing', unconfirmed)).toContain('not confirmed');
    expect(refusal('completing', 'completed', { ...unconfirmed, graceOver: false })).toContain(
      'grace',
    );
    expect(refusal('completing', 'completed', { ...unconfirmed, graceOver: true })).toBe('ok');
    expect(refusal('completing', 'completed', { graceOver: false })).toBe('ok');
  });

  it('lets the system reject a completion only when its gate is no longer met', () => {
    expect(refusal('completing', 'active', { by: 'system' })).toContain('Only a person may reject');
    expect(refusal('completing', 'active', { by: 'system', gateMet: false })).toBe('ok');
  });
});

describe('slugs', () => {
  it('reads as the name does', () => {
    expect(slugify('Fix the Login: redirect!')).toBe('fix-the-login-redirect');
    expect(slugify('Ueber-Kraefte \u00e9t\u00e9')).toBe('ueber-kraefte-ete');
    expect(slugify('...')).toBe('contract');
    expect(slugify('\u4f60\u597d', 'task')).toBe('task');
  });

  it('is always a part of a git ref', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const slug = slugify(name);
        expect(slug).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
        expect(slug.length).toBeLessThanOrEqual(slugMaxChars);
        expect(slugify(slug)).toBe(slug);
      }),
    );
  });

  it('counts up when it is taken, within the same length', () => {
    expect(uniqueSlug('a', new Set())).toBe('a');
    expect(uniqueSlug('a', new Set(['a', 'a-2']))).toBe('a-3');
    const long = 'x'.repeat(slugMaxChars);
    expect(uniqueSlug(long, new Set([long]))).toBe(`${'x'.repeat(slugMaxChars - 2)}-2`);
  });
});
