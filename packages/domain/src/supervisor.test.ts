/** Supervisor states, save points, and when one is dead. */
import { describe, expect, it } from 'vitest';
import {
  afterBlock,
  afterLastAnswer,
  afterQuestion,
  afterRestoration,
  afterSpawn,
  afterUnblock,
  afterWait,
  afterWake,
  checkSupervisorTransition,
  isSupervisorFinal,
  supervisorStates,
  supervisorTransitions,
} from './supervisor.ts';

describe('states', () => {
  it('follow the table in every pair; staying is allowed', () => {
    for (const from of supervisorStates) {
      for (const to of supervisorStates) {
        const allowed = from === to || supervisorTransitions[from].includes(to);
        expect(checkSupervisorTransition(from, to).ok, `${from} -> ${to}`).toBe(allowed);
      }
    }
  });

  it('are those of the surface page', () => {
    expect(supervisorStates).toHaveLength(9);
    for (const state of ['idle', 'waiting_for_user', 'waiting_for_tasks', 'blocked'] as const) {
      expect(supervisorTransitions.working).toContain(state);
      expect(supervisorTransitions[state]).toContain('working');
    }
    for (const state of supervisorStates) {
      if (isSupervisorFinal(state)) expect(supervisorTransitions[state]).toEqual([]);
      else if (state !== 'interrupted') {
        expect(supervisorTransitions[state]).toEqual(
          expect.arrayContaining(['completed', 'failed', 'interrupted']),
        );
      }
    }
    expect(supervisorTransitions.interrupted).toContain('initializing');
  });

  it('refuse with a sentence', () => {
    expect(checkSupervisorTransition('idle', 'blocked')).toEqual({
      ok: false,
      reason: 'A supervisor that is idle cannot become blocked.',
    });
  });
});

describe('save points', () => {
  it('write what the seed writes', () => {
    expect(afterSpawn('build')).toEqual({
      state: 'working',
      activity: 'Spawned task build',
    });
    expect(afterLastAnswer()).toEqual({
      state: 'working',
      activity: 'Resumed after user response',
    });
  });

  it('write waits, wakes and restorations', () => {
    expect(afterQuestion('Which\n one?')).toEqual({
      state: 'waiting_for_user',
      activity: 'Waiting for an answer: Which one?',
    });
    expect(afterQuestion('x'.repeat(200)).activity).toMatch(/^Waiting for an answer: x{77}\.\.\.$/);
    expect(afterWait(1).activity).toBe('Waiting for 1 task');
    expect(afterWait(3)).toMatchObject({
      state: 'waiting_for_tasks',
      activity: 'Waiting for 3 tasks',
    });
    expect(afterWake('satisfied')).toEqual({
      state: 'working',
      activity: 'Woken: what it waited for has come',
    });
    expect(afterWake('timed_out').activity).toBe('Woken: the time of its wait is over');
    expect(afterBlock('no\nlicence')).toEqual({
      state: 'blocked',
      activity: 'Blocked: no licence',
    });
    expect(afterUnblock('somebody resumed it')).toEqual({
      state: 'working',
      activity: 'Goes on: somebody resumed it',
    });
    expect(afterRestoration()).toMatchObject({ state: 'initializing' });
  });
});
