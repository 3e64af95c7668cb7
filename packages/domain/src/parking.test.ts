/** Who is parked, and what wakes them: every reason alone, and in its order. */
import { describe, expect, it } from 'vitest';
import {
  type Come,
  type ParkFacts,
  crowdedParkMs,
  mayPark,
  patienceNow,
  wakeReason,
} from './parking.ts';
import { supervisorStates } from './supervisor.ts';

const now = new Date('2030-01-01T12:00:00Z');
const ago = (seconds: number): Date => new Date(now.getTime() - seconds * 1_000);

const waits: ParkFacts = {
  state: 'waiting_for_tasks',
  since: ago(120),
  openWaits: 1,
  openQuestions: 0,
  openTasks: 1,
  isCompleting: false,
  unreadMessages: 0,
  parkAfterMs: 120_000,
};

describe('a supervisor is parked', () => {
  it('when it has waited for its time, not a moment before', () => {
    expect(mayPark(waits, now)).toBe(true);
    expect(mayPark({ ...waits, since: ago(119.999) }, now)).toBe(false);
  });

  it('in the states in which it waits only', () => {
    const states = supervisorStates.filter((state) => mayPark({ ...waits, state }, now));
    expect(states).toEqual(['idle', 'waiting_for_user', 'waiting_for_tasks']);
  });

  it('when something will wake it: a wait, a question, a task while it is idle', () => {
    const alone = { ...waits, openWaits: 0 };
    expect(mayPark(alone, now)).toBe(false);
    expect(mayPark({ ...alone, openQuestions: 1 }, now)).toBe(true);
    expect(mayPark({ ...alone, state: 'idle' }, now)).toBe(true);
    expect(mayPark({ ...alone, state: 'idle', openTasks: 0 }, now)).toBe(false);
    const done = { ...alone, state: 'idle', openTasks: 0, isCompleting: true } as const;
    expect(mayPark(done, now)).toBe(true);
    expect(mayPark({ ...done, state: 'working' }, now)).toBe(false);
  });

  it('never with mail to read, and never where parking is off', () => {
    expect(mayPark({ ...waits, unreadMessages: 1 }, now)).toBe(false);
    expect(mayPark({ ...waits, parkAfterMs: null }, now)).toBe(false);
  });
});

describe('on a crowded machine', () => {
  const usual = { parkAfterMs: 120_000, chosen: 'installation', machine: 'crowded' } as const;

  it('a supervisor waits for a short time only, elsewhere for the usual one', () => {
    expect(patienceNow(usual)).toBe(crowdedParkMs);
    expect(patienceNow({ ...usual, machine: 'roomy' })).toBe(120_000);
    expect(patienceNow({ ...usual, parkAfterMs: 3_000 })).toBe(3_000);
  });

  it('what its contract says holds, and never stays never', () => {
    expect(patienceNow({ ...usual, chosen: 'contract' })).toBe(120_000);
    expect(patienceNow({ ...usual, parkAfterMs: null })).toBeNull();
  });
});

describe('a parked supervisor', () => {
  const nothing: Come = { satisfied: 0, timedOut: 0, answers: 0, messages: 0 };

  it('sleeps while something may come', () => {
    expect(wakeReason(waits, nothing)).toBeNull();
    expect(wakeReason({ ...waits, state: 'idle', openWaits: 0 }, nothing)).toBeNull();
    const done = { ...waits, openWaits: 0, openTasks: 0, isCompleting: true };
    expect(wakeReason(done, nothing)).toBeNull();
    expect(wakeReason({ ...done, isCompleting: false }, nothing)).toBe('withdrawn');
    expect(
      wakeReason(
        { ...waits, state: 'waiting_for_user', openWaits: 0, openQuestions: 1, openTasks: 0 },
        nothing,
      ),
    ).toBeNull();
  });

  it('is woken by each thing that comes, also while others are open', () => {
    expect(wakeReason(waits, { ...nothing, messages: 1 })).toBe('message');
    expect(wakeReason(waits, { ...nothing, answers: 1, messages: 1 })).toBe('answered');
    expect(wakeReason(waits, { ...nothing, timedOut: 1, answers: 1 })).toBe('timed_out');
    expect(wakeReason(waits, { ...nothing, satisfied: 1, timedOut: 1 })).toBe('satisfied');
  });

  it('is woken when nothing is left that could wake it', () => {
    expect(wakeReason({ ...waits, openWaits: 0 }, nothing)).toBe('withdrawn');
    expect(wakeReason({ ...waits, state: 'idle', openWaits: 0, openTasks: 0 }, nothing)).toBe(
      'withdrawn',
    );
  });
});
