/**
 * The live events of one owner, read once for all monitors of that owner in this process.
 *
 * Law: hint and scan. It reads after its own cursor whenever a hint comes and every 5 s without one; what it
 * read is offered to its readers in order and without waiting for any. A store that is away costs time only.
 */
import { channels } from '@makima/contracts/channels';
import { isMakimaError } from '@makima/domain/error';
import type { PubSub, Unsubscribe } from '@makima/bus/pubsub';
import type { EventPosition, HeartbeatFact, MonitorPage } from '@makima/engine/event/monitor';
import type { Log } from '@makima/runtime/log';
import { createBell } from '../bell.ts';
import { toldOf, type Subscription, type Told } from './subscription.ts';

export interface Feed {
  /** Resolves when the feed has its place: what is committed from then on is offered. */
  join(subscription: Subscription): Promise<void>;
  leave(subscription: Subscription): void;
  readonly size: number;
  stop(): void;
}

export interface FeedOptions {
  readonly ownerId: string;
  readonly pubsub: PubSub;
  readonly log: Log;
  readonly read: (after: string) => Promise<MonitorPage>;
  readonly readHeartbeats: (contractIds: readonly string[]) => Promise<HeartbeatFact[]>;
  /** A sign of life is told as one with a later one. */
  readonly onGathered: () => void;
}

/** How long a lost hint delays an event. */
const rereadMs = 5_000;
/** After a hint: an older transaction may still be open and hide the event for a moment. */
const chaseMs = [15, 30, 60, 120, 250, 500, 1_000];
/** How long signs of life are gathered before they are read in one statement. */
const heartbeatMs = 250;

export function createFeed(options: FeedOptions): Feed {
  const readers = new Set<Subscription>();
  const bell = createBell();
  const placed = Promise.withResolvers<void>();
  const stopped = new AbortController();
  const leaving: Promise<Unsubscribe>[] = [];
  let started = false;

  const offer = (told: Told): void => {
    for (const reader of readers) reader.offer(told);
  };
  const take = (page: MonitorPage): void => {
    for (const fact of page.facts) offer(toldOf(fact));
    for (const reader of readers) reader.advance(page.cursor, page.position);
  };
  const beats = createBeats(options, readers, offer);
  const start = (): void => {
    started = true;
    const { ownerId, pubsub } = options;
    leaving.push(pubsub.subscribe(channels.ownerEvents(ownerId), () => bell.ring()));
    leaving.push(
      pubsub.subscribe(channels.heartbeats(ownerId), (heard) => {
        if (heard.kind === 'hint') beats.heard(heard.body);
      }),
    );
    const lose = (): void => {
      for (const reader of readers) reader.lose();
    };
    void Promise.all(leaving).then(() =>
      follow(options, { bell, signal: stopped.signal, placed, take, lose }),
    );
  };

  return {
    get size() {
      return readers.size;
    },
    async join(reader) {
      readers.add(reader);
      if (!started) start();
      await placed.promise;
    },
    leave: (reader) => void readers.delete(reader),
    stop() {
      stopped.abort();
      bell.ring();
      beats.stop();
      for (const each of leaving) void each.then((off) => off());
    },
  };
}

interface Following {
  readonly bell: ReturnType<typeof createBell>;
  readonly signal: AbortSignal;
  readonly placed: PromiseWithResolvers<void>;
  readonly take: (page: MonitorPage) => void;
  /** Nothing of before its place was brought. */
  readonly lose: () => void;
}

async function follow(options: FeedOptions, f: Following): Promise<void> {
  let cursor = 'now';
  let at: EventPosition | undefined;
  let chase: readonly number[] = [];
  while (!f.signal.aborted) {
    let full = false;
    try {
      const page = await options.read(cursor);
      // Placed anew: what it did not bring before is read from the store.
      if (at === undefined) f.lose();
      else f.take(page);
      ({ cursor, full, position: at } = page);
      f.placed.resolve();
      if (page.facts.length > 0) chase = [];
    } catch (error) {
      options.log.debug({ err: error }, 'a feed of monitors could not read');
      if (isMakimaError(error) && error.code === 'VALIDATION_FAILED') {
        cursor = 'now';
        at = undefined;
        full = true;
      }
    }
    if (full || f.signal.aborted) continue;
    const rang = await f.bell.wait(chase[0] ?? rereadMs);
    chase = rang ? chaseMs : chase.slice(1);
  }
}

/** Signs of life: gathered, read at once, each told once. */
function createBeats(
  options: FeedOptions,
  readers: ReadonlySet<Subscription>,
  offer: (told: Told) => void,
) {
  const lastToldMs = new Map<string, number>();
  let pending = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  const isWanted = (contractId: string): boolean => {
    for (const { wish } of readers)
      if (wish.heartbeats && (wish.contractIds?.has(contractId) ?? true)) return true;
    return false;
  };
  const flush = async (): Promise<void> => {
    timer = undefined;
    const contractIds = [...pending];
    pending = new Set();
    try {
      for (const fact of await options.readHeartbeats(contractIds)) {
        const atMs = fact.at.getTime();
        if (atMs <= (lastToldMs.get(fact.contractId) ?? 0)) {
          options.onGathered();
          continue;
        }
        lastToldMs.set(fact.contractId, atMs);
        const text = JSON.stringify(fact.event);
        offer({ ...fact, position: undefined, cursor: undefined, type: 'heartbeat', text });
      }
    } catch (error) {
      options.log.debug({ err: error }, 'signs of life could not be read');
    }
  };

  return {
    heard(body: string): void {
      for (const id of body.split(',').filter(isWanted)) {
        if (pending.has(id)) options.onGathered();
        pending.add(id);
      }
      if (pending.size > 0) timer ??= setTimeout(() => void flush(), heartbeatMs);
    },
    stop: () => clearTimeout(timer),
  };
}
