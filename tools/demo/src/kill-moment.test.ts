// The supervisor's agent is killed once, while its tasks are at work.
import { describe, expect, it } from 'vitest';
import type { Event, EventType } from '@makima/contracts/entity/event';
import { sampleEvent } from '@makima/client/testing/samples';
import { killMoment } from './kill-moment.ts';

let seq = 0;
const event = (type: EventType, data: Event['data'] = {}): Event =>
  sampleEvent((seq += 1), type, { data });
const supervisor = (pid: unknown): Event => event('task.started', { isSupervisor: true, pid });
const spawned = (): Event => event('task.spawned');
const started = (): Event => event('task.started', { pid: 9 });
const waits = (): Event => event('wait.started');

const victims = (events: readonly Event[]): (number | undefined)[] => {
  const moment = killMoment();
  return events.map((one) => moment.after(one)).filter((pid) => pid !== undefined);
};

describe('killMoment', () => {
  it('comes when it waits and every task has started, in whatever order', () => {
    const before = [supervisor(77), spawned(), spawned()];
    expect(victims([...before, waits(), started()])).toEqual([]);
    expect(victims([...before, waits(), started(), started()])).toEqual([77]);
    expect(victims([...before, started(), started(), waits()])).toEqual([77]);
  });

  it('does not wait for a task that has no place when another is done already', () => {
    const events = [supervisor(77), spawned(), spawned(), waits(), started()];
    expect(victims([...events, event('task.completed')])).toEqual([77]);
  });

  it('comes once, and not after the wait is over', () => {
    const events = [supervisor(77), spawned(), waits(), started(), supervisor(78), waits()];
    expect(victims(events)).toEqual([77]);
    const late = [supervisor(77), spawned(), waits(), event('wait.satisfied'), started()];
    expect(victims(late)).toEqual([]);
  });

  it.each([undefined, 'x', -1, 0, 1, 1.5])('never kills by the number %s', (pid) => {
    expect(victims([supervisor(pid), spawned(), started(), waits()])).toEqual([]);
  });
});
