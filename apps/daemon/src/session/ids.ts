/**
 * Ids that follow from what they name, so that saying the same thing twice is recognised as the same.
 *
 * Law: equal names, equal ids; a UUID of version 8 (its bits are ours).
 */
import { createHash } from 'node:crypto';

export function namedId(...names: readonly (string | number)[]): string {
  const bytes = createHash('sha256').update(names.join('\n')).digest().subarray(0, 16);
  bytes[6] = 0x80 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
