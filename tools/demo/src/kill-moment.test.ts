// The supervisor's agent is killed once, while its tasks are at work.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Event, EventType } from '@makima/contracts/entity/event';
import { sampleEvent, sampleId } from '@makima/client/testing/samples';
import { killAgent, killMoment } from './kill-moment.ts';

let seq = 0;
const leader = sampleId('task', 1);
const event = (type: EventType, data: Event['data'] = {}): Event =>
  sampleEvent((seq += 1), type, { data });
const supervisor = (pid: unknown): Event =>
  sampleEvent((seq += 1), 'task.started', { data: { isSupervisor: true, pid }, taskId: leader });
const spawned = (): Event => event('task.spawned');
const started = (): Event => event('task.started', { pid: 9 });
const waits = (): Event => event('wait.started');

const victims = (events: readonly Event[]): number[] => {
  const moment = killMoment();
  return events.flatMap((one) => moment.after(one)?.pid ?? []);
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

  it('names nobody when the supervisor was lost before, and bears the loss of a task', () => {
    const lost = (taskId: string): Event => sampleEvent((seq += 1), 'attempt.lost', { taskId });
    const before = [supervisor(77), spawned(), waits()];
    expect(victims([...before, lost(leader), started()])).toEqual([]);
    expect(victims([...before, lost(sampleId('task', 2)), started()])).toEqual([77]);
  });

  it.each([undefined, 'x', -1, 0, 1, 1.5])('never kills by the number %s', (pid) => {
    expect(victims([supervisor(pid), spawned(), started(), waits()])).toEqual([]);
  });
});

describe('killAgent', () => {
  it('kills a process that carries the task, and no other', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
      env: { MAKIMA_TASK_ID: leader },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    await once(child, 'spawn');
    const pid = child.pid!;
    expect(killAgent({ pid, taskId: 'another' })).toBe(false);
    expect(killAgent({ pid: process.pid, taskId: leader })).toBe(false);
    expect(killAgent({ pid, taskId: leader })).toBe(true);
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    expect(killAgent({ pid, taskId: leader })).toBe(false);
  });
});
