/** The built-in contract types, guards, deliverables, and what a type of people's own must satisfy. */
import { describe, expect, it } from 'vitest';
import {
  type ContractType,
  type PhaseDefinition,
  builtinTypes,
  checkContractType,
  checkDeliverable,
  deliverablesOf,
  findPhase,
  findType,
  firstPhase,
  guardedPhases,
  isTerminalPhase,
  nextPhase,
  typeOf,
  withoutValidator,
} from './contract-type.ts';

const { simple, specification } = builtinTypes;

describe('the built-in types', () => {
  it('have the phases and deliverables of the surface page', () => {
    const shape = (type: ContractType) =>
      type.phases.map((phase) => [phase.name, phase.deliverables.map(({ id }) => id)]);
    expect(shape(simple)).toEqual([
      ['plan', ['plan-document']],
      ['execute', ['implementation']],
    ]);
    expect(shape(specification)).toEqual([
      ['research', ['research-notes']],
      ['specify', ['requirements-document']],
      ['plan', ['plan-document']],
      ['execute', ['implementation', 'tests-passing']],
      ['review', ['review-report']],
    ]);
    for (const type of [simple, specification])
      expect(checkContractType(type)).toEqual({ ok: true });
  });

  it('are found by name', () => {
    expect(findType('simple')).toBe(simple);
    expect(findType('specification')).toBe(specification);
    expect(findType('toString')).toBeUndefined();
  });

  it('are walked in order', () => {
    expect(firstPhase(specification)).toBe('research');
    expect(nextPhase(specification, 'plan')).toBe('execute');
    expect(nextPhase(specification, 'review')).toBeUndefined();
    expect(nextPhase(specification, 'nowhere')).toBeUndefined();
    expect(isTerminalPhase(simple, 'execute')).toBe(true);
    expect(isTerminalPhase(specification, 'execute')).toBe(false);
    expect(isTerminalPhase(simple, 'nowhere')).toBe(false);
    expect(findPhase(simple, 'nowhere')).toBeUndefined();
    expect(firstPhase({ name: 'empty', version: 1, phases: [] })).toBe('');
  });
});

describe('guards', () => {
  it('stand on every phase but the last when the switch is on', () => {
    expect(guardedPhases(simple, { phaseGuard: true })).toEqual(['plan']);
    expect(guardedPhases(specification, { phaseGuard: true })).toEqual([
      'research',
      'specify',
      'plan',
      'execute',
    ]);
    expect(guardedPhases(specification, { phaseGuard: false, phases: ['plan'] })).toEqual([]);
  });

  it('stand on the listed phases only, never on the last', () => {
    const phases = ['plan', 'review', 'unknown'];
    expect(guardedPhases(specification, { phaseGuard: true, phases })).toEqual(['plan']);
  });
});

describe('deliverables', () => {
  const extra = [
    { phase: 'plan', id: 'cost-sheet', name: 'Cost sheet', required: false },
    { phase: 'execute', id: 'changelog', name: 'Changelog', required: false },
  ];

  it('count only in their phase', () => {
    expect(checkDeliverable(simple, 'plan', 'plan-document')).toMatchObject({ ok: true });
    expect(checkDeliverable(simple, 'execute', 'plan-document')).toEqual({
      ok: false,
      validIds: ['implementation'],
    });
    expect(checkDeliverable(simple, 'nowhere', 'x')).toEqual({ ok: false, validIds: [] });
  });

  it('may be added by a contract', () => {
    expect(checkDeliverable(simple, 'plan', 'cost-sheet', extra)).toMatchObject({
      ok: true,
      deliverable: { required: false },
    });
    expect(deliverablesOf(simple, 'plan', extra).map(({ id }) => id)).toEqual([
      'plan-document',
      'cost-sheet',
    ]);
  });
});

describe("people's own types", () => {
  const phase = (change: Partial<PhaseDefinition> = {}): PhaseDefinition => ({
    name: 'only',
    deliverables: [],
    gate: { tasks: 'none' },
    terminal: true,
    ...change,
  });
  const type = (...phases: PhaseDefinition[]): ContractType => ({
    name: 'own',
    version: 1,
    phases,
  });

  it('may be as small as one phase', () => {
    const validator = ['npm', 'test'];
    expect(checkContractType(type(phase({ gate: { tasks: { atLeast: 1 }, validator } }))).ok).toBe(
      true,
    );
    expect(checkContractType(type(phase({ gate: { tasks: { named: ['a'] } } }))).ok).toBe(true);
  });

  const owed = { id: 'a', name: 'A', required: true };
  it.each([
    ['at least one phase', type()],
    ["'No Spaces' is not lower case", type(phase({ name: 'No Spaces' }))],
    ["'only' appears twice", type(phase({ terminal: false }), phase())],
    ['only the last, is terminal', type(phase({ terminal: false }))],
    ['only the last, is terminal', type(phase({ name: 'a' }), phase({ name: 'b' }))],
    ["'A!' is not lower case", type(phase({ deliverables: [{ ...owed, id: 'A!' }] }))],
    ["'a' appears twice in phase 'only'", type(phase({ deliverables: [owed, owed] }))],
    ['positive number', type(phase({ gate: { tasks: { atLeast: 0 } } }))],
    ['positive number', type(phase({ gate: { tasks: { atLeast: 1.5 } } }))],
    ['names no task', type(phase({ gate: { tasks: { named: [] } } }))],
    ['names no command', type(phase({ gate: { tasks: 'none', validator: [] } }))],
    ['names no command', type(phase({ gate: { tasks: 'none', validator: [''] } }))],
  ])('are refused: %s', (sentence, bad) => {
    expect(checkContractType(bad)).toMatchObject({
      ok: false,
      reason: expect.stringContaining(sentence) as string,
    });
  });
});

it('a type without the validator of one phase keeps everything else', () => {
  const gate = {
    tasks: 'settled',
    validator: ['make'],
    validatorTimeoutSeconds: 5,
    autoAdvance: false,
  } as const;
  const type = typeOf('t', 3, [
    { name: 'a', deliverables: [], gate },
    { name: 'b', deliverables: [], gate: { tasks: 'none', validator: ['x'] } },
  ]);
  const without = withoutValidator(type, 'a');
  expect(without.phases[0]?.gate).toEqual({ tasks: 'settled', autoAdvance: false });
  expect(without.phases[1]).toEqual(type.phases[1]);
  expect(withoutValidator(type, 'b').phases[1]?.gate).toEqual({ tasks: 'none' });
  expect(without.version).toBe(3);
});
