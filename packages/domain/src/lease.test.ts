/** Leases: live until the very instant, frozen before. */
import { expect, it } from 'vitest';
import { freezeAfterMs, leaseMs, leaseUntil, leaseVerdict, mustFreeze, renewMs } from './lease.ts';

const now = new Date('2030-01-01T00:00:00Z');
const at = (ms: number) => new Date(now.getTime() + ms);

it('freezes agents before their lease can end, with time for several renewals before', () => {
  expect(renewMs * 3).toBeLessThan(freezeAfterMs);
  expect(freezeAfterMs + renewMs).toBeLessThan(leaseMs);
});

it('is live until the instant of its expiry', () => {
  expect(leaseVerdict(null, now)).toEqual({ kind: 'none' });
  expect(leaseVerdict({ expiresAt: at(1) }, now)).toEqual({ kind: 'live', remainingMs: 1 });
  expect(leaseVerdict({ expiresAt: now }, now)).toEqual({ kind: 'expired', expiredMs: 0 });
  expect(leaseVerdict({ expiresAt: at(-5) }, now)).toEqual({ kind: 'expired', expiredMs: 5 });
  expect(leaseUntil(now)).toEqual(at(leaseMs));
});

it('freezes at the threshold, by a monotonic clock', () => {
  expect(mustFreeze(1000, 1000 + freezeAfterMs - 1)).toBe(false);
  expect(mustFreeze(1000, 1000 + freezeAfterMs)).toBe(true);
});
