/** Why a task does not move: every blocker, and what explains more when there are several. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ContractStatus, contractStatuses } from './contract.ts';
import { type UnplacedReason } from './placement.ts';
import { taskSessions, taskStatuses } from './task.ts';
import { ago, now, pending, question, soon, task, told } from './test-why.ts';
import { placementBlocker } from './why-blocker.ts';
import { whyTask } from './why-task.ts';

const parkedWords = ' It is parked: no process, no tokens.';

describe('a task at work', () => {
  it('moves, with or without a question beside it', () => {
    expect(told(task)).toEqual({
      moving: true,
      kinds: [],
      summary: 'Task build is running and moves.',
    });
    expect(told({ ...task, openQuestions: [question] })).toMatchObject({
      moving: true,
      kinds: ['question'],
    });
    expect(told({ ...task, status: 'starting', openQuestions: [question] }).moving).toBe(true);
  });

  it('stands still when its turn is over and it waits for nothing', () => {
    const idle = { words: 'Idle: its turn failed: no script', since: ago(5) };
    expect(told({ ...task, idle })).toMatchObject({ moving: false, kinds: ['idle'] });
    expect(told({ ...task, idle }).summary).toContain('its turn failed');
    const blocked = { words: 'Blocked: no licence', since: ago(5) };
    expect(told({ ...task, blocked })).toEqual({
      moving: false,
      kinds: ['blocked'],
      summary: 'Blocked: no licence',
    });
    // What it waits for explains more.
    expect(told({ ...task, idle, openQuestions: [question] }).kinds).toEqual(['question']);
  });

  it('stands still when its daemon is connected but not heard of', () => {
    const daemon = { name: 'laptop', connected: true, lastSeenAt: ago(24_999) };
    expect(told({ ...task, daemon }).moving).toBe(true);
    const silent = { ...daemon, lastSeenAt: ago(25_000) };
    expect(told({ ...task, daemon: silent })).toEqual({
      moving: false,
      kinds: ['lease'],
      summary: `Nothing was heard of daemon laptop for 25 s; unless it is heard of, the task is taken over after ${soon.toISOString()}.`,
    });
    expect(told({ ...task, daemon: silent, openQuestions: [question] }).kinds).toEqual([
      'lease',
      'question',
    ]);
    expect(told({ ...task, daemon: silent, lease: null }).moving).toBe(true);
  });

  it('stands still when its daemon is offline or its lease is out', () => {
    const daemon = { name: 'laptop', connected: false, lastSeenAt: null };
    expect(told({ ...task, daemon })).toEqual({
      moving: false,
      kinds: ['machine_offline'],
      summary: 'Daemon laptop, on which it runs, is offline.',
    });
    expect(told({ ...task, lease: { expiresAt: now }, openQuestions: [question] })).toMatchObject({
      moving: false,
      kinds: ['lease', 'question'],
    });
    expect(told({ ...task, lease: null, daemon: null }).moving).toBe(true);
    const wait = { on: 'task test', since: ago(5) };
    expect(told({ ...task, daemon, wait }).kinds).toEqual(['machine_offline', 'dependency']);
  });

  it('rests while it is limited or waits', () => {
    expect(told({ ...task, session: 'limited', resumeAt: soon }).summary).toContain(
      'It goes on at 2030-01-01T12:01:00.000Z.',
    );
    expect(told({ ...task, session: 'limited' })).toMatchObject({
      moving: false,
      kinds: ['limit'],
    });
    const wait = { on: 'task test', since: ago(5) };
    for (const session of ['parked', 'live'] as const) {
      expect(told({ ...task, session, wait })).toMatchObject({
        moving: false,
        kinds: ['dependency'],
        summary: `Waits for task test.${session === 'parked' ? parkedWords : ''}`,
      });
      const asked = { ...task, session, wait, openQuestions: [question] };
      expect(told(asked)).toMatchObject({ moving: false, kinds: ['question'] });
    }
    // About to be woken.
    expect(told({ ...task, session: 'parked' })).toMatchObject({ moving: true, kinds: [] });
    const idle = { words: 'Idle: its turn is over', since: ago(5) };
    expect(told({ ...task, session: 'parked', idle })).toEqual({
      moving: false,
      kinds: ['dependency'],
      summary: `Its turn is over; it is told when a task of its contract ends.${parkedWords}`,
    });
    const asked = { ...question, question: 'Which' };
    expect(told({ ...task, session: 'parked', openQuestions: [asked] }).summary).toBe(
      `Waits for an answer: Which.${parkedWords}`,
    );
  });
});

describe('a task that waits for its place', () => {
  it('is about to be placed when nothing is in the way', () => {
    expect(told(pending)).toMatchObject({ moving: true, kinds: [] });
    expect(told({ ...pending, status: 'interrupted', openQuestions: [question] })).toMatchObject({
      moving: true,
      kinds: ['question'],
    });
  });

  it('names the tasks that it needs', () => {
    const test = { taskId: 't2', name: 'test', status: 'running' } as const;
    expect(told({ ...pending, needs: { kind: 'waiting', on: [test] } })).toEqual({
      moving: false,
      kinds: ['dependency'],
      summary: 'Needs task test, which is running.',
    });
    const failed = { ...test, status: 'failed' } as const;
    expect(told({ ...pending, needs: { kind: 'never', because: [failed] } }).summary).toBe(
      'Needs task test, which is failed: it cannot start as it stands.',
    );
  });

  it('says what the placement rule said', () => {
    expect(told({ ...pending, unplaced: { kind: 'no_daemon' } })).toMatchObject({
      moving: false,
      kinds: ['no_daemon'],
    });
  });

  it('rests with its contract', () => {
    const kind = (contractStatus: ContractStatus) => {
      const why = whyTask({ ...pending, contractStatus }, now);
      return [why.blockers[0]?.kind, why.blockers[0]?.whoCanAct, why.blockers[0]?.act];
    };
    const act = 'makima contracts resume c1';
    expect(kind('paused')).toEqual(['pause', 'person', act]);
    expect(kind('blocked')).toEqual(['blocked', 'person', act]);
    expect(kind('completing')).toEqual(['pause', 'nobody', null]);
  });
});

describe('a task at rest', () => {
  it('is paused with its contract, or by itself, or for a question', () => {
    const paused = { ...task, status: 'paused' } as const;
    expect(whyTask(paused, now).blockers[0]).toMatchObject({ kind: 'pause', act: null });
    const both = whyTask({ ...paused, contractStatus: 'paused' }, now).blockers[0];
    expect(both?.act).toContain('makima contracts resume c1');
    expect(told({ ...paused, openQuestions: [question] }).kinds).toEqual(['question', 'pause']);
    expect(told({ ...paused, session: 'limited' }).kinds).toEqual(['limit']);
  });

  it('is held by a budget before anything else', () => {
    const budget = {
      reason: 'The budget of 5 dollars is spent.',
      since: ago(1),
      questionId: 'q1',
      raise: 'Raise by $5.00',
    };
    expect(told({ ...task, budget, openQuestions: [question] })).toMatchObject({
      moving: false,
      kinds: ['budget'],
    });
    expect(whyTask({ ...task, budget }, now).blockers[0]).toMatchObject({
      act: 'makima answer q1 "Raise by $5.00"',
      questionId: 'q1',
    });
    const answered = { ...budget, questionId: null, raise: null };
    expect(whyTask({ ...task, budget: answered }, now).blockers[0]?.act).toBeNull();
  });

  it('has ended, with the reason', () => {
    expect(told({ ...task, status: 'failed', errorMessage: 'no API.' })).toEqual({
      moving: false,
      kinds: ['done'],
      summary: 'Task build is failed: no API.',
    });
    expect(told({ ...task, status: 'merged' }).summary).toBe('Task build is merged.');
  });

  it('always gets an answer', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...taskStatuses),
        fc.constantFrom(...taskSessions),
        fc.constantFrom(...contractStatuses),
        fc.boolean(),
        (status, session, contractStatus, asked) => {
          const openQuestions = asked ? [question] : [];
          const why = whyTask({ ...task, status, session, contractStatus, openQuestions }, now);
          expect(why.moving || why.blockers.length > 0).toBe(true);
          expect(why.summary).not.toBe('');
        },
      ),
    );
  });
});

describe('placement', () => {
  it('names the machine as people know it', () => {
    const waits = { kind: 'waits_for_its_daemon', daemonId: 'd1', condition: 'offline' } as const;
    expect(placementBlocker({ ...waits, daemonName: 'laptop' }, now).reason).toContain('laptop');
    expect(placementBlocker(waits, now).reason).toContain('d1');
  });

  it.each<[string, UnplacedReason]>([
    ['backing_off', { kind: 'backing_off', until: soon }],
    ['no_daemon', { kind: 'no_daemon' }],
    ['no_daemon', { kind: 'excluded', daemonIds: ['d1'] }],
    ['no_daemon', { kind: 'agent_missing', agent: 'codex' }],
    ['limit', { kind: 'account_limited', agent: 'claude', until: soon }],
    ['capacity', { kind: 'no_capacity', daemonIds: ['d1'], reservedForTasks: true }],
    ['capacity', { kind: 'no_capacity', daemonIds: ['d1'], reservedForTasks: false }],
    ['machine_offline', { kind: 'waits_for_its_daemon', daemonId: 'd1', condition: 'offline' }],
    ['capacity', { kind: 'waits_for_its_daemon', daemonId: 'd1', condition: 'full' }],
    ['no_daemon', { kind: 'waits_for_its_daemon', daemonId: 'd1', condition: 'excluded' }],
  ])('is told as %s', (kind, reason) => {
    const told = placementBlocker(reason, now);
    expect(told).toMatchObject({ kind, since: now });
    expect(told.act === null).toBe(told.whoCanAct !== 'person');
    expect(told.reason).toMatch(/\.$/);
  });
});
