/** Whose silence is a death, and whose is a rest. */
import { describe, expect, it } from 'vitest';
import { contractStatuses, mayWork } from './contract.ts';
import { pulseOf, type HeartbeatFacts } from './heartbeat.ts';
import { isSupervisorFinal, supervisorStates } from './supervisor.ts';
import { taskSessions } from './task.ts';

const now = new Date('2030-01-03T00:00:00Z');
const works: HeartbeatFacts = {
  contractStatus: 'active',
  taskStatus: 'running',
  session: 'live',
  state: 'working',
  lastHeartbeatAt: new Date(now.getTime() - 120_001),
  timeoutMs: 120_000,
};
const pulse = (over: Partial<HeartbeatFacts>) => pulseOf({ ...works, ...over }, now).kind;

describe('a pulse', () => {
  it('is dead after two minutes of silence, not before', () => {
    expect(pulseOf(works, now)).toEqual({ kind: 'dead', silentMs: 120_001 });
    expect(pulse({ lastHeartbeatAt: new Date(now.getTime() - 120_000) })).toBe('beats');
    expect(pulse({ lastHeartbeatAt: new Date(now.getTime() + 9_000) })).toBe('beats');
    for (const taskStatus of ['interrupted', 'starting'] as const)
      expect(pulse({ taskStatus })).toBe('dead');
  });

  it('is not expected of who never began, rests or is over', () => {
    expect(pulse({ lastHeartbeatAt: null })).toBe('silent_by_right');
    for (const taskStatus of ['paused', 'pending'] as const)
      expect(pulse({ taskStatus })).toBe('silent_by_right');
    for (const session of taskSessions)
      expect(pulse({ session })).toBe(
        session === 'parked' || session === 'limited' ? 'silent_by_right' : 'dead',
      );
    for (const contractStatus of contractStatuses)
      expect(pulse({ contractStatus })).toBe(mayWork(contractStatus) ? 'dead' : 'silent_by_right');
    for (const state of supervisorStates)
      expect(pulse({ state })).toBe(isSupervisorFinal(state) ? 'silent_by_right' : 'dead');
  });
});
