/**
 * Events of an owner after a cursor. The cursor is opaque: `<timeline>.<xid>.<id>`; the timeline changes
 * when the store was restored to an earlier moment, and cursors of another timeline are refused.
 *
 * Law: a reader who goes on from the cursor of each answer misses nothing and sees nothing twice, whatever
 * order transactions commit in.
 */
import type { Event } from '@makima/contracts/entity/event';
import {
  eventsAfter,
  newestPosition,
  timelineOf,
  type EventPosition,
  type EventRow,
} from '@makima/db/repo/events';
import { reading } from '@makima/db/tx';
import type { Engine } from '../context.ts';
import { requireReader } from '../authorize.ts';
import { later, oldest, parseCursor, writeCursor } from './cursor.ts';
import { presentEvent } from '../present/event.ts';
import type { Principal } from '../principal.ts';

export interface EventsInput {
  /** A cursor, `now` for the present, absent for the oldest. */
  readonly after?: string | undefined;
  readonly contractId?: string | undefined;
  readonly limit: number;
}

export interface EventPage {
  readonly items: Event[];
  /** The cursor when more is there already; null when the reader has caught up. */
  readonly nextCursor: string | null;
  /** Where to go on. */
  readonly cursor: string;
  /** The cursor after each item, in the order of the items. */
  readonly cursors: string[];
}

/** @throws VALIDATION_FAILED for a cursor that is none or of another timeline. */
export async function listEvents(
  engine: Engine,
  caller: Principal,
  input: EventsInput,
): Promise<EventPage> {
  requireReader(caller, 'follow events');
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      const timeline = await timelineOf(sql);
      const asked = input.after === undefined ? oldest : parseCursor(input.after, timeline);
      // Read before the events: whatever committed until here is in the page or above this position.
      const newest = await newestPosition(sql);
      if (asked === 'now') return pageOf(timeline, [], newest, input.limit);
      const rows = await eventsAfter(sql, {
        ownerId: caller.ownerId,
        after: asked,
        contractId: input.contractId,
        limit: input.limit,
      });
      return pageOf(timeline, rows, later(newest, asked), input.limit);
    })(),
  );
}

function pageOf(
  timeline: string,
  rows: readonly EventRow[],
  newest: EventPosition,
  limit: number,
): EventPage {
  const last = rows.at(-1);
  const full = last !== undefined && rows.length >= limit;
  const at = last === undefined ? newest : full ? last : later(newest, last);
  const cursor = writeCursor(timeline, at);
  return {
    items: rows.map(presentEvent),
    nextCursor: full ? cursor : null,
    cursor,
    cursors: rows.map((row) => writeCursor(timeline, row)),
  };
}
