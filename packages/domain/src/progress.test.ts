/** How far a contract has come: phases, deliverables, tasks; never backwards within a phase. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builtinTypes } from './contract-type.ts';
import { progressOf, type ProgressFacts } from './progress.ts';
import { taskStatuses } from './task.ts';

const facts = (given: Partial<ProgressFacts>): ProgressFacts => ({
  type: builtinTypes.specification,
  phase: 'research',
  completedDeliverables: [],
  extraDeliverables: [],
  tasks: [],
  before: 0,
  ...given,
});

const progress = (given: Partial<ProgressFacts>): number => progressOf(facts(given));

describe('progress of a contract', () => {
  it('begins at nothing, and counts phases that were left', () => {
    expect(progress({})).toBe(0);
    expect(progress({ phase: 'specify' })).toBe(20);
    expect(progress({ phase: 'review', before: 60 })).toBe(80);
    expect(progress({ phase: 'no such phase', before: 33 })).toBe(33);
  });

  it('counts what the phase owes, but not what its branch left behind', () => {
    const tests = { id: 'tests-passing' };
    const implementation = { id: 'implementation' };
    const execute = { phase: 'execute' } as const;
    expect(progress({ ...execute, completedDeliverables: [tests] })).toBe(70);
    expect(progress({ ...execute, completedDeliverables: [tests, implementation] })).toBe(80);
    const stale = { ...implementation, stale: 'the branch moved' };
    expect(progress({ ...execute, completedDeliverables: [tests, stale] })).toBe(70);
    const extraDeliverables = [
      { phase: 'execute', id: 'notes', name: 'Notes', required: true },
      { phase: 'execute', id: 'nice', name: 'Nice', required: false },
    ];
    const completedDeliverables = [tests, implementation];
    expect(progress({ ...execute, extraDeliverables, completedDeliverables })).toBe(73);
  });

  it('counts tasks by name beside the deliverables', () => {
    const task = (name: string, status: ProgressFacts['tasks'][number]['status']) => ({
      name,
      status,
    });
    const tasks = [
      task('build', 'failed'),
      task('build', 'merged'),
      task('docs', 'running'),
      task('left', 'cancelled'),
    ];
    expect(progress({ tasks })).toBe(5);
    expect(progress({ tasks: tasks.slice(0, 2) })).toBe(10);
    expect(progress({ tasks: [task('left', 'cancelled')] })).toBe(0);
  });

  it('is measured by tasks alone where a phase owes nothing', () => {
    const type = {
      ...builtinTypes.simple,
      phases: builtinTypes.simple.phases.map((phase) => ({ ...phase, deliverables: [] })),
    };
    expect(progress({ type, phase: 'plan' })).toBe(0);
    expect(progress({ type, phase: 'plan', tasks: [{ name: 'a', status: 'done' }] })).toBe(50);
  });

  it('never says that all is done, and says less after a way back', () => {
    const completedDeliverables = [{ id: 'review-report' }];
    expect(progress({ phase: 'review', completedDeliverables })).toBe(99);
    expect(progress({ phase: 'research', before: 80 })).toBe(20);
  });

  it('does not fall while a phase lasts, whatever becomes of its tasks', () => {
    const task = fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      status: fc.constantFrom(...taskStatuses),
    });
    fc.assert(
      fc.property(fc.array(fc.array(task, { maxLength: 5 }), { maxLength: 8 }), (steps) => {
        let before = 40;
        for (const tasks of steps) {
          const now = progress({ phase: 'plan', tasks, before });
          expect(now).toBeGreaterThanOrEqual(before);
          expect(now).toBeLessThanOrEqual(60);
          before = now;
        }
      }),
    );
  });
});
