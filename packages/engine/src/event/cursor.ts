/**
 * Cursors over an owner's events: `<timeline>.<xid>.<id>`, opaque to their holders. The timeline changes when
 * the store was restored to an earlier moment, and cursors of another timeline are refused.
 */
import { MakimaError } from '@makima/domain/error';
import type { EventPosition } from '@makima/db/repo/events';

export type { EventPosition };

export const oldest: EventPosition = { xid: '0', id: 0 };

export function later(a: EventPosition, b: EventPosition): EventPosition {
  return isAfter(a, b) ? a : b;
}

export function isAfter(a: EventPosition, b: EventPosition): boolean {
  if (a.xid !== b.xid) return BigInt(a.xid) > BigInt(b.xid);
  return a.id > b.id;
}

export function writeCursor(timeline: string, at: EventPosition): string {
  return `${timeline}.${at.xid}.${at.id}`;
}

export function parseCursor(cursor: string, timeline: string): EventPosition | 'now' {
  if (cursor === 'now') return 'now';
  const match = /^([0-9a-f-]{36})\.(\d{1,19})\.(\d{1,15})$/.exec(cursor);
  if (match?.[1] === undefined) {
    throw badCursor('is not a cursor of events', 'use the `cursor` of an earlier answer, or `now`');
  }
  if (match[1] !== timeline) {
    throw badCursor(
      'belongs to a history that is no more: the store was restored to an earlier moment',
      'read the contracts anew, then follow with after=now',
    );
  }
  return { xid: match[2] ?? '0', id: Number(match[3]) };
}

function badCursor(detail: string, fix: string): MakimaError {
  return new MakimaError('VALIDATION_FAILED', `after: ${detail}`, {
    details: { errors: [{ pointer: '/query/after', detail }] },
    fix,
  });
}
