/** The tables of tasks and attempts, spawn limits, needs. */
import { describe, expect, it } from 'vitest';
import { limits } from './limits.ts';
import {
  type Need,
  type SpawnFacts,
  type TaskStatus,
  attemptStates,
  attemptTransitions,
  checkAttemptTransition,
  checkSpawn,
  checkTaskTransition,
  compositeAttention,
  isAttemptLive,
  isTaskComplete,
  isTaskFinal,
  needsMet,
  needsVerdict,
  taskStatuses,
  taskTransitions,
  waitEnds,
} from './task.ts';

describe('task statuses', () => {
  it('follow the table in every pair', () => {
    for (const from of taskStatuses) {
      for (const to of taskStatuses) {
        const allowed = from !== to && taskTransitions[from].includes(to);
        expect(checkTaskTransition(from, to).ok, `${from} -> ${to}`).toBe(allowed);
      }
    }
  });

  it('contain every step of the surface page', () => {
    const steps: [TaskStatus, TaskStatus][] = [
      ['pending', 'starting'],
      ['starting', 'running'],
      ['starting', 'pending'],
      ['running', 'done'],
      ['running', 'failed'],
      ['running', 'interrupted'],
      ['running', 'paused'],
      ['paused', 'running'],
      ['interrupted', 'pending'],
      ['interrupted', 'failed'],
      ['done', 'merged'],
    ];
    for (const [from, to] of steps) expect(checkTaskTransition(from, to)).toEqual({ ok: true });
  });

  it('can be cancelled unless they are final, and final ones but done stay', () => {
    for (const status of taskStatuses) {
      if (isTaskFinal(status)) {
        expect(taskTransitions[status]).toEqual(status === 'done' ? ['merged'] : []);
      } else {
        expect(taskTransitions[status]).toContain('cancelled');
      }
      expect(waitEnds(status)).toBe(['done', 'failed', 'merged', 'cancelled'].includes(status));
    }
    expect(taskStatuses.filter(isTaskComplete)).toEqual(['done', 'merged']);
  });

  it('refuse with a sentence', () => {
    expect(checkTaskTransition('done', 'done')).toEqual({
      ok: false,
      reason: 'The task is already done.',
    });
    expect(checkTaskTransition('pending', 'done')).toMatchObject({
      reason: 'A task that is pending cannot become done; it may become starting, cancelled.',
    });
    expect(checkTaskTransition('failed', 'running')).toMatchObject({
      reason: 'A task that is failed cannot become running; nothing follows it.',
    });
  });
});

describe('attempts', () => {
  it('leave a live state only, and never return', () => {
    for (const from of attemptStates) {
      expect(attemptTransitions[from].length > 0).toBe(isAttemptLive(from));
      for (const to of attemptStates) {
        const allowed = attemptTransitions[from].includes(to);
        expect(checkAttemptTransition(from, to).ok).toBe(allowed);
        if (allowed) expect(to).not.toBe('assigned');
      }
    }
    expect(checkAttemptTransition('assigned', 'done').ok).toBe(false);
  });
});

describe('spawn limits', () => {
  const modest: SpawnFacts = {
    depth: 1,
    taskCount: 0,
    openChildren: 0,
    spawnedLastMinute: 0,
    planBytes: 10,
    needsCount: 0,
  };

  it('lets a modest spawn pass, up to the very limit', () => {
    expect(checkSpawn(modest, limits)).toEqual({ ok: true });
    const full: SpawnFacts = {
      depth: limits.taskDepthMax,
      taskCount: limits.tasksPerContractMax - 1,
      openChildren: limits.openChildrenPerSupervisorMax - 1,
      spawnedLastMinute: limits.spawnsPerContractPerMinuteMax - 1,
      planBytes: limits.planMaxBytes,
      needsCount: limits.needsPerTaskMax,
    };
    expect(checkSpawn(full, limits)).toEqual({ ok: true });
  });

  it.each([
    ['taskDepthMax', { depth: limits.taskDepthMax + 1 }, false],
    ['tasksPerContractMax', { taskCount: limits.tasksPerContractMax }, false],
    ['openChildrenPerSupervisorMax', { openChildren: limits.openChildrenPerSupervisorMax }, true],
    [
      'spawnsPerContractPerMinuteMax',
      { spawnedLastMinute: limits.spawnsPerContractPerMinuteMax },
      true,
    ],
    ['planMaxBytes', { planBytes: limits.planMaxBytes + 1 }, false],
    ['needsPerTaskMax', { needsCount: limits.needsPerTaskMax + 1 }, false],
  ] as const)('names %s when it is met', (limit, change, retryable) => {
    const verdict = checkSpawn({ ...modest, ...change }, limits);
    expect(verdict).toMatchObject({
      ok: false,
      limit,
      max: limits[limit],
      actual: limits[limit] + 1,
      retryable,
    });
  });
});

describe('needs', () => {
  const need = (name: string, status: TaskStatus): Need => ({ taskId: name, name, status });

  it('are met when all are complete', () => {
    expect(needsMet([])).toBe(true);
    expect(needsMet(['done', 'merged'])).toBe(true);
    expect(needsMet(['done', 'running'])).toBe(false);
    expect(needsVerdict([need('a', 'merged')])).toEqual({ kind: 'met' });
  });

  it('are waited for while they can still be met', () => {
    const b = need('b', 'interrupted');
    expect(needsVerdict([need('a', 'done'), b])).toEqual({ kind: 'waiting', on: [b] });
  });

  it('can never be met once one has failed', () => {
    const c = need('c', 'failed');
    expect(needsVerdict([need('a', 'running'), c])).toEqual({ kind: 'never', because: [c] });
  });
});

describe('composite attention', () => {
  it('shows at the root what is deep in the tree', () => {
    expect(compositeAttention('running', ['done', 'needs_you'])).toBe('needs_you');
    expect(compositeAttention('running', ['done'])).toBe('running');
    expect(compositeAttention('done', [])).toBe('done');
  });
});
