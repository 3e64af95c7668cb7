/** When a contract is stale. */
import { expect, it } from 'vitest';
import { contractStatuses } from './contract.ts';
import { type StaleFacts, isStale, staleThresholdMs } from './stale.ts';

const now = new Date('2030-01-01T00:00:00Z');
const silent: StaleFacts = {
  status: 'active',
  supervisorSession: 'live',
  lastProgressAt: new Date(now.getTime() - staleThresholdMs),
  thresholdMs: staleThresholdMs,
};

it('is stale after the threshold without progress', () => {
  expect(isStale(silent, now)).toBe(true);
  expect(isStale(silent, new Date(now.getTime() - 1))).toBe(false);
  expect(isStale({ ...silent, supervisorSession: 'none' }, now)).toBe(true);
});

it('is never stale while it waits, rests or is limited', () => {
  for (const status of contractStatuses) {
    expect(isStale({ ...silent, status }, now)).toBe(status === 'active');
  }
  for (const supervisorSession of ['parked', 'limited'] as const) {
    expect(isStale({ ...silent, supervisorSession }, now)).toBe(false);
  }
});
