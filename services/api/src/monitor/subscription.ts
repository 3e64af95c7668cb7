/**
 * One reader of monitor events: what it missed is read from the store at its own pace, what is live comes
 * from the feed of its owner through a bounded queue.
 *
 * Why: a reader that is slow must cost neither memory nor others' time. When its queue is full the queue is
 * dropped, and the reader catches up from the store again, from the last event that it was given.
 * Law: collect first, read second, drop by place what came both ways: once each, in order. Heartbeats are
 * not kept for who is behind.
 */
import type { MonitorFilter } from '@makima/contracts/entity/monitor';
import { isMonitored, type MonitorWish } from '@makima/domain/monitor';
import {
  isAfter,
  type EventPosition,
  type MonitorFact,
  type MonitorPage,
} from '@makima/engine/event/monitor';
import { createBell } from '../bell.ts';

/** A fact with its text, made once for all readers. */
export interface Told extends Omit<MonitorFact, 'position' | 'event'> {
  /** Absent for a heartbeat: it has no place in the order. */
  readonly position: EventPosition | undefined;
  readonly type: string;
  readonly cursor: string | undefined;
  readonly text: string;
}

export interface Batch {
  readonly told: readonly Told[];
  /** Everything until here was told or does not concern this reader. */
  readonly cursor: string;
  /** True from the first batch on with which it has caught up. */
  readonly live: boolean;
}

export interface Subscription {
  readonly wish: MonitorWish;
  /** What comes next: at once while it is behind, else when something comes or `waitMs` have passed. */
  next(waitMs: number): Promise<Batch>;
  /** Other wishes from here on. */
  refine(filter: MonitorFilter): void;
  /** Called by the feed, in order. */
  offer(told: Told): void;
  /** Called by the feed: nothing more until here. */
  advance(cursor: string, position: EventPosition): void;
  /** Called by the feed when it has another place: what comes next is read from the store. */
  lose(): void;
  /** Wakes whoever waits in `next`. */
  ring(): void;
  readonly queued: number;
}

export interface SubscriptionOptions {
  readonly filter: MonitorFilter;
  /** Most events that wait for this reader in memory. */
  readonly bufferSize: number;
  readonly read: (after: string) => Promise<MonitorPage>;
  readonly onOverflow?: () => void;
}

const mostAtOnce = 500;

export function createSubscription(options: SubscriptionOptions): Subscription {
  const bell = createBell();
  let wish = wishOf(options.filter);
  /** Everything until here was given out or does not concern this reader. */
  let given = options.filter.after ?? 'now';
  /** Where the last reading from the store ended: what the feed brings of before was told already. */
  let floor: EventPosition | undefined;
  /** Up to where the feed has brought everything. */
  let reached: { readonly cursor: string; readonly position: EventPosition } | undefined;
  let queue: Told[] = [];
  let state: 'behind' | 'collecting' | 'live' = 'behind';

  const catchUp = async (): Promise<Batch> => {
    queue = [];
    reached = undefined;
    state = 'collecting';
    const page = await options.read(given);
    given = page.cursor;
    stand(page.position);
    if (!page.full && isCollecting()) {
      state = 'live';
      queue = queue.filter((told) => isNew(told, floor));
    }
    const told = page.facts.filter((fact) => isMonitored(wish, fact)).map(toldOf);
    return { told, cursor: given, live: state === 'live' };
  };
  const fallBehind = (): void => {
    queue = [];
    state = 'behind';
  };
  /** Where a reading ended. When the feed did not come as far meanwhile, its place counts for nothing. */
  const stand = (position: EventPosition): void => {
    floor = position;
    if (reached !== undefined && !isAfter(reached.position, position)) reached = undefined;
  };
  const isCollecting = (): boolean => state === 'collecting';

  return {
    get wish() {
      return wish;
    },
    get queued() {
      return queue.length;
    },
    async next(waitMs) {
      if (state === 'live' && queue.length === 0) await bell.wait(waitMs);
      if (state !== 'live') return catchUp();
      const told = queue.splice(0, mostAtOnce);
      const last = told.findLast((one) => one.cursor !== undefined)?.cursor;
      given = queue.length === 0 ? (reached?.cursor ?? last ?? given) : (last ?? given);
      return { told, cursor: given, live: true };
    },
    refine(filter) {
      wish = wishOf(filter);
    },
    offer(told) {
      if (state === 'behind' || !isNew(told, floor) || !isMonitored(wish, told)) return;
      if (told.position === undefined && state !== 'live') return;
      if (queue.length < options.bufferSize) queue.push(told);
      else {
        fallBehind();
        options.onOverflow?.();
      }
      bell.ring();
    },
    lose() {
      if (state === 'behind') return;
      fallBehind();
      bell.ring();
    },
    advance(cursor, position) {
      if (floor === undefined || isAfter(position, floor)) reached = { cursor, position };
    },
    ring: () => bell.ring(),
  };
}

export function toldOf(fact: MonitorFact): Told {
  return {
    ...fact,
    cursor: cursorOf(fact),
    type: fact.event.type,
    text: JSON.stringify(fact.event),
  };
}

function cursorOf({ event }: MonitorFact): string | undefined {
  return event.type === 'heartbeat' ? undefined : event.cursor;
}

function isNew(told: Told, floor: EventPosition | undefined): boolean {
  return told.position === undefined || floor === undefined || isAfter(told.position, floor);
}

export function wishOf(filter: MonitorFilter): MonitorWish {
  return {
    contractIds: filter.contract_ids && new Set(filter.contract_ids),
    statuses: filter.statuses && new Set(filter.statuses),
    stale: filter.include_stale,
    heartbeats: filter.include_heartbeats,
  };
}
