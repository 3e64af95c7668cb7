/**
 * Why a socket is closed: the codes of the protocol with their words, and the way from an error to one.
 *
 * Law: words for a log, never data of a daemon or of a store.
 */
import { closeCodes } from '@makima/contracts/socket/frames';
import { isMakimaError } from '@makima/domain/error';
import { isAway } from './patience.ts';

export interface Close {
  readonly code: number;
  readonly reason: string;
}

export const closes = {
  malformed: { code: closeCodes.protocol, reason: 'a frame that does not fit' },
  disorder: { code: closeCodes.protocol, reason: 'a frame at the wrong moment' },
  version: { code: closeCodes.protocol, reason: 'a protocol that is not spoken here' },
  gap: { code: closeCodes.protocol, reason: 'reports are missing' },
  foreign: { code: closeCodes.protocol, reason: 'that journal is not of this daemon' },
  revoked: { code: closeCodes.unauthenticated, reason: 'the key is not valid any more' },
  silent: { code: closeCodes.silent, reason: 'no hello came' },
  slow: { code: closeCodes.silent, reason: 'too much waits to be read' },
  replaced: { code: closeCodes.replaced, reason: 'a newer connection of this daemon exists' },
  twins: { code: closeCodes.replaced, reason: 'two daemons use one key' },
  draining: { code: closeCodes.draining, reason: 'this gateway leaves' },
  away: { code: closeCodes.draining, reason: 'the store does not answer' },
  dropped: { code: closeCodes.draining, reason: 'the connection was given up, come again' },
  broken: { code: 1011, reason: 'an error of ours' },
} as const satisfies Record<string, Close>;

/** What an error means for the socket; `fenced` must be looked up in the rows. */
export function closeFor(error: unknown): Close | 'fenced' {
  if (isAway(error)) return closes.away;
  if (!isMakimaError(error)) return closes.broken;
  if (error.code === 'FENCED') return 'appliedSeq' in error.details ? closes.gap : 'fenced';
  if (error.code === 'UNAUTHENTICATED') return closes.revoked;
  if (error.code === 'FORBIDDEN') return closes.foreign;
  return closes.broken;
}

const known: ReadonlySet<number> = new Set([
  1000,
  1001,
  1005,
  1006,
  1007,
  1009,
  1011,
  ...Object.values(closeCodes),
]);

/** For a metric: a peer may send any code. */
export function closeLabel(close: Close): string {
  return known.has(close.code) ? String(close.code) : 'other';
}
