/** The gate of a phase, each kind of requirement. */
import { describe, expect, it } from 'vitest';
import { type ContractType, type TaskRequirement, builtinTypes } from './contract-type.ts';
import { type GateFacts, type GateTask, readiness } from './gate.ts';
import type { TaskStatus } from './task.ts';

const base: GateFacts = {
  type: builtinTypes.specification,
  phase: 'execute',
  completedDeliverables: [],
  extraDeliverables: [],
  tasks: [],
};

const task = (name: string, status: TaskStatus, isSupervisor = false): GateTask => ({
  name,
  status,
  isSupervisor,
});

function typeWith(tasks: TaskRequirement, validator?: readonly string[]): ContractType {
  const gate = validator === undefined ? { tasks } : { tasks, validator };
  return {
    name: 'own',
    version: 1,
    phases: [{ name: 'only', deliverables: [], gate, terminal: true }],
  };
}

function missing(tasks: TaskRequirement, ...rows: GateTask[]): readonly string[] {
  const facts = { ...base, type: typeWith(tasks), phase: 'only', tasks: rows };
  const result = readiness(facts);
  expect(result.ready).toBe(result.missing.length === 0);
  expect(result.missing.every((item) => item.kind === 'task')).toBe(true);
  return result.missing.map((item) => item.sentence);
}

describe('deliverables', () => {
  it('are missing until complete, all of them named', () => {
    const result = readiness(base);
    expect(result).toMatchObject({ ready: false, noGate: false });
    expect(result.missing.map((item) => item.sentence)).toEqual([
      'Deliverable implementation (Implementation) is not complete.',
      'Deliverable tests-passing (Tests passing) is not complete.',
    ]);
  });

  it('let the phase go when complete', () => {
    const completedDeliverables = [{ id: 'implementation' }, { id: 'tests-passing', stale: null }];
    expect(readiness({ ...base, completedDeliverables })).toEqual({
      ready: true,
      missing: [],
      noGate: false,
    });
  });

  it('are missing again when their evidence is stale', () => {
    const completedDeliverables = [
      { id: 'implementation' },
      { id: 'tests-passing', stale: 'x was changed' },
    ];
    expect(readiness({ ...base, completedDeliverables }).missing).toEqual([
      {
        kind: 'deliverable',
        id: 'tests-passing',
        name: 'Tests passing',
        stale: true,
        sentence: 'Deliverable tests-passing is stale: x was changed; show it again.',
      },
    ]);
  });

  it('of the contract count only when required, and only in their phase', () => {
    const extra = { phase: 'execute', id: 'notes', name: 'Notes', required: false };
    const completedDeliverables = [{ id: 'implementation' }, { id: 'tests-passing' }];
    const facts = { ...base, completedDeliverables };
    expect(readiness({ ...facts, extraDeliverables: [extra] }).ready).toBe(true);
    const required = { ...extra, required: true };
    expect(readiness({ ...facts, extraDeliverables: [required] }).ready).toBe(false);
    const elsewhere = { ...required, phase: 'review' };
    expect(readiness({ ...facts, extraDeliverables: [elsewhere] }).ready).toBe(true);
  });
});

describe('tasks', () => {
  const rows = [
    task('lead', 'running', true),
    task('a', 'merged'),
    task('b', 'running'),
    task('c', 'failed'),
  ];

  it('may not matter', () => {
    expect(missing('none', ...rows)).toEqual([]);
  });

  it('must not be under way', () => {
    expect(missing('settled', ...rows)).toEqual(["Task 'b' is running."]);
  });

  it('must all be complete: a failed one is made good under its name, a cancelled one is let go', () => {
    expect(missing('all_complete', ...rows)).toEqual([
      "Task 'b' is running.",
      "Task 'c' is failed; spawn it again under the same name.",
    ]);
    const again = [task('c', 'failed'), task('c', 'done'), task('d', 'cancelled')];
    expect(missing('all_complete', ...again)).toEqual([]);
    expect(missing('all_complete', task('c', 'failed'), task('c', 'pending'))).toEqual([
      "Task 'c' is pending.",
    ]);
  });

  it('must be so many', () => {
    expect(missing({ atLeast: 2 }, ...rows)).toEqual(['2 tasks must be complete, so far 1.']);
    expect(missing({ atLeast: 1 }, ...rows)).toEqual([]);
  });

  it('must be the named ones', () => {
    expect(missing({ named: ['a', 'b', 'c', 'x'] }, ...rows)).toEqual([
      "Task 'b' is running.",
      "Task 'c' is failed; spawn it again under the same name.",
      "Task 'x' was never spawned.",
    ]);
    expect(missing({ named: ['lead'] }, ...rows)).toEqual(["Task 'lead' was never spawned."]);
  });
});

describe('validators', () => {
  const facts = { ...base, type: typeWith('none', ['npm', 'test']), phase: 'only' };

  it('must have passed', () => {
    expect(readiness(facts).missing).toEqual([
      {
        kind: 'validator',
        state: 'not_run',
        sentence: 'Validator `npm test` has not run yet.',
      },
    ]);
    const state = (validator: GateFacts['validator']) =>
      readiness({ ...facts, validator }).missing.map((item) => item.sentence);
    expect(state({ state: 'running' })).toEqual(['Validator `npm test` is running.']);
    expect(state({ state: 'failed', exitCode: 2 })).toEqual([
      'Validator `npm test` exited with 2.',
    ]);
    expect(state({ state: 'passed' })).toEqual([]);
  });
});

describe('no gate', () => {
  it('is a phase that asks for nothing, or one that does not exist', () => {
    expect(readiness({ ...base, type: typeWith('none'), phase: 'only' })).toEqual({
      ready: true,
      missing: [],
      noGate: true,
    });
    expect(readiness({ ...base, phase: 'nowhere' }).noGate).toBe(true);
    expect(readiness({ ...base, type: typeWith('settled'), phase: 'only' }).noGate).toBe(false);
  });
});
