/**
 * Leases: the right of a daemon to run an attempt until a time.
 *
 * Law: the daemon freezes its agents before the lease can run out, so that behind an expired lease no agent
 * works. Expiry is decided by the database's clock alone, freezing by the daemon's monotonic one.
 */

export const leaseMs = 60_000;
export const renewMs = 10_000;
export const freezeAfterMs = 45_000;

export interface Lease {
  readonly expiresAt: Date;
}

export type LeaseVerdict =
  | { readonly kind: 'none' }
  | { readonly kind: 'live'; readonly remainingMs: number }
  | { readonly kind: 'expired'; readonly expiredMs: number };

/** `now` is the database's. At the very instant of expiry the lease is over. */
export function leaseVerdict(lease: Lease | null, now: Date): LeaseVerdict {
  if (lease === null) return { kind: 'none' };
  const expires = lease.expiresAt.getTime();
  const at = now.getTime();
  return at < expires
    ? { kind: 'live', remainingMs: expires - at }
    : { kind: 'expired', expiredMs: at - expires };
}

/** Until when a lease granted or renewed now holds. */
export function leaseUntil(now: Date): Date {
  return new Date(now.getTime() + leaseMs);
}

/** The daemon's side, by its monotonic clock: is it time to freeze the agents? */
export function mustFreeze(lastRenewedMonotonicMs: number, nowMonotonicMs: number): boolean {
  return nowMonotonicMs - lastRenewedMonotonicMs >= freezeAfterMs;
}
