/** Filters of monitors: each part of a wish, by itself and together. */
import { expect, it } from 'vitest';
import { isMonitored, type MonitorFactAbout, type MonitorWish } from './monitor.ts';

const all: MonitorWish = {
  contractIds: undefined,
  statuses: undefined,
  stale: true,
  heartbeats: true,
};
const fact: MonitorFactAbout = {
  kind: 'other',
  contractId: 'c1',
  status: 'active',
  leftStatus: null,
};

it('tells everything to who asks for nothing in particular', () => {
  for (const kind of ['stale', 'heartbeat', 'other'] as const)
    expect(isMonitored(all, { ...fact, kind })).toBe(true);
});

it('leaves out staleness and heartbeats for those who do not want them', () => {
  const plain = { ...all, stale: false, heartbeats: false };
  expect(isMonitored(plain, { ...fact, kind: 'stale' })).toBe(false);
  expect(isMonitored(plain, { ...fact, kind: 'heartbeat' })).toBe(false);
  expect(isMonitored(plain, fact)).toBe(true);
});

it('looks at the contract', () => {
  expect(isMonitored({ ...all, contractIds: new Set(['c1']) }, fact)).toBe(true);
  expect(isMonitored({ ...all, contractIds: new Set(['c2']) }, fact)).toBe(false);
  expect(isMonitored({ ...all, contractIds: new Set() }, fact)).toBe(false);
});

it('looks at the status, and at both ends of a change', () => {
  const paused = { ...all, statuses: new Set(['paused'] as const) };
  expect(isMonitored(paused, fact)).toBe(false);
  expect(isMonitored(paused, { ...fact, status: 'paused' })).toBe(true);
  expect(isMonitored(paused, { ...fact, leftStatus: 'paused' })).toBe(true);
  expect(isMonitored(paused, { ...fact, leftStatus: 'blocked' })).toBe(false);
});
