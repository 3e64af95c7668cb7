/** Phase changes: five answers, the guard, force, and what a confirmation speaks of. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builtinTypes } from './contract-type.ts';
import type { Evidence } from './evidence.ts';
import type { Missing } from './gate.ts';
import {
  type Confirmation,
  type PhaseChange,
  confirmationDigest,
  confirmationHolds,
  decidePhaseChange,
} from './phase-change.ts';

const owed: Missing = {
  kind: 'deliverable',
  id: 'plan-document',
  name: 'Plan document',
  stale: false,
  sentence: 'Deliverable plan-document (Plan document) is not complete.',
};
const busy: Missing = {
  kind: 'task',
  name: 'a',
  status: 'running',
  sentence: "Task 'a' is running.",
};

const ready = { ready: true, missing: [], noGate: false };
const confirmation: Confirmation = {
  by: 'person',
  version: 7,
  from: 'plan',
  to: 'execute',
  digest: 'd1',
};

const change: PhaseChange = {
  type: builtinTypes.simple,
  current: 'plan',
  target: 'execute',
  version: 7,
  expectedVersion: 7,
  guarded: false,
  digest: 'd1',
  readiness: ready,
  by: 'agent',
};

const decide = (over: Partial<PhaseChange>) => decidePhaseChange({ ...change, ...over });

describe('without a guard', () => {
  it('goes to the next phase when the gate is met', () => {
    expect(decide({})).toEqual({ kind: 'success', to: 'execute', skipped: [] });
    expect(decide({ expectedVersion: undefined })).toMatchObject({ kind: 'success' });
  });

  it('answers a stale version before anything else', () => {
    expect(decide({ expectedVersion: 6, target: 'nowhere' })).toEqual({
      kind: 'version_conflict',
      expected: 6,
      actual: 7,
      currentPhase: 'plan',
    });
  });

  it('goes nowhere but to the next phase', () => {
    const sentence = (over: Partial<PhaseChange>) => {
      const decision = decide(over);
      return decision.kind === 'validation_failed' ? decision.missing[0]?.sentence : decision.kind;
    };
    expect(sentence({ target: 'nowhere' })).toBe(
      "Phase 'nowhere' is unknown; simple has plan, execute.",
    );
    expect(sentence({ target: 'plan' })).toBe("After 'plan' comes 'execute', not 'plan'.");
    expect(sentence({ current: 'execute', target: 'plan' })).toContain('is the last phase');
    const type = builtinTypes.specification;
    expect(sentence({ type, current: 'research', target: 'plan', by: 'person' })).toBe(
      "After 'research' comes 'specify', not 'plan'.",
    );
  });

  it('lists what is missing', () => {
    const readiness = { ready: false, missing: [owed, busy], noGate: false };
    expect(decide({ readiness })).toEqual({ kind: 'validation_failed', missing: [owed, busy] });
  });
});

describe('force', () => {
  const readiness = { ready: false, missing: [owed, busy], noGate: false };

  it("is a person's, and skips deliverables only", () => {
    expect(decide({ force: true })).toMatchObject({ kind: 'unauthorized' });
    expect(decide({ force: true, by: 'system' })).toMatchObject({ kind: 'unauthorized' });
    expect(decide({ force: true, by: 'person', readiness })).toEqual({
      kind: 'validation_failed',
      missing: [busy],
    });
    const onlyOwed = { ...readiness, missing: [owed] };
    expect(decide({ force: true, by: 'person', readiness: onlyOwed })).toEqual({
      kind: 'success',
      to: 'execute',
      skipped: [owed],
    });
  });

  it('never passes a guard', () => {
    const onlyOwed = { ...readiness, missing: [owed] };
    const decision = decide({ force: true, by: 'person', guarded: true, readiness: onlyOwed });
    expect(decision).toMatchObject({ kind: 'guard_required', voided: null });
  });
});

describe('the guard', () => {
  it('asks for a confirmation once the gate is met, not before', () => {
    expect(decide({ guarded: true })).toEqual({
      kind: 'guard_required',
      from: 'plan',
      to: 'execute',
      version: 7,
      voided: null,
    });
    const readiness = { ready: false, missing: [owed], noGate: false };
    expect(decide({ guarded: true, readiness })).toMatchObject({ kind: 'validation_failed' });
  });

  it("opens for a person's confirmation of this very state, whoever carries it", () => {
    for (const by of ['person', 'system', 'agent'] as const) {
      expect(decide({ guarded: true, confirmation, by })).toMatchObject({ kind: 'success' });
    }
  });

  it('stays shut for anybody else', () => {
    for (const by of ['agent', 'system'] as const) {
      expect(decide({ guarded: true, confirmation: { ...confirmation, by } })).toMatchObject({
        kind: 'unauthorized',
      });
    }
  });

  it.each([
    ['It was for plan to review', { to: 'review' }],
    ['It was for research to execute', { from: 'research' }],
    ['The contract changed since: version 6', { version: 6 }],
    ['The deliverables changed since', { digest: 'd0' }],
  ])('voids a confirmation: %s', (voided, over) => {
    expect(decide({ guarded: true, confirmation: { ...confirmation, ...over } })).toMatchObject({
      kind: 'guard_required',
      voided: expect.stringContaining(voided) as string,
    });
  });

  it('is passed by no combination that lacks a valid confirmation by a person', () => {
    fc.assert(
      fc.property(
        fc.record({
          by: fc.constantFrom('person' as const, 'system' as const, 'agent' as const),
          force: fc.boolean(),
          expectedVersion: fc.constantFrom(undefined, 7),
          confirmation: fc.option(
            fc.record({
              by: fc.constantFrom('person' as const, 'system' as const, 'agent' as const),
              version: fc.constantFrom(6, 7),
              from: fc.constantFrom('plan', 'execute'),
              to: fc.constantFrom('plan', 'execute'),
              digest: fc.constantFrom('d0', 'd1'),
            }),
            { nil: undefined },
          ),
        }),
        (over) => {
          if (decide({ guarded: true, ...over }).kind !== 'success') return;
          expect(over.confirmation).toEqual(confirmation);
        },
      ),
    );
  });

  it('does not take the word of anyone but a person', () => {
    const facts = { version: 7, from: 'plan', to: 'execute', digest: 'd1' };
    expect(confirmationHolds(confirmation, facts)).toEqual({ ok: true });
    expect(confirmationHolds({ ...confirmation, by: 'agent' }, facts)).toEqual({
      ok: false,
      reason: 'It was not a person who confirmed.',
    });
  });
});

describe('the digest', () => {
  const file: Evidence = { kind: 'file', path: 'a', commit: 'c1' };
  const merge: Evidence = { kind: 'merge', branch: 'b', commit: 'c2' };
  const input = {
    version: 7,
    from: 'plan',
    to: 'execute',
    deliverables: [
      { id: 'x', evidence: [file, merge] },
      { id: 'y', evidence: [] },
    ],
  };

  it('does not depend on the order of rows', () => {
    const deliverables = [
      { id: 'y', evidence: [] },
      { id: 'x', evidence: [merge, file] },
    ];
    expect(confirmationDigest({ ...input, deliverables })).toBe(confirmationDigest(input));
  });

  it('differs as soon as anything that the person saw does', () => {
    const others = [
      { ...input, version: 8 },
      { ...input, from: 'research' },
      { ...input, to: 'review' },
      { ...input, deliverables: input.deliverables.slice(1) },
      { ...input, deliverables: [{ id: 'x', evidence: [file] }, input.deliverables[1]!] },
      {
        ...input,
        deliverables: [
          { id: 'x', evidence: [{ ...file, commit: 'c9' }, merge] },
          input.deliverables[1]!,
        ],
      },
    ];
    const digests = [input, ...others].map(confirmationDigest);
    expect(new Set(digests).size).toBe(digests.length);
  });
});
