/**
 * Ids on the wire: UUIDs, version 7 where makima makes them, so that they sort by time of birth.
 *
 * Law: an id is opaque to its reader; nothing is parsed out of it.
 */
import { z } from 'zod';

export const zId = z.uuid();

/** A moment on the wire: ISO 8601 in UTC. */
export const zTime = z.iso.datetime({ offset: true });

/** A git commit in full. */
export const zSha = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/, 'a full commit id in hex');

/**
 * A UUIDv7 from a clock and 10 random bytes, for ids that are born outside Postgres (a run on a daemon,
 * an idempotency key of the CLI). Both are given, so that the caller owns its time and its chance.
 */
export function mintId(nowMs: number, random: Uint8Array): string {
  if (random.length < 10) throw new RangeError('mintId needs 10 random bytes');
  const bytes = new Uint8Array(16);
  let rest = nowMs;
  for (let i = 5; i >= 0; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
