/**
 * Holding a request until something has come about: subscribe first, read the truth, sleep until a hint,
 * the next re-read, the deadline, the caller's going or our own drain.
 *
 * Law: the answer always comes from a read; a lost hint costs one re-read interval, a store that is away
 * for a moment costs nothing but time. Holds are counted and bounded per key.
 */
import { isMakimaError, MakimaError } from '@makima/domain/error';
import type { PubSub } from '@makima/bus/pubsub';
import type { Metrics } from '@makima/runtime/metrics';
import { createBell } from './bell.ts';

export interface HoldOptions<T> {
  /** Whose hold it is, for the bound: a key id. */
  readonly holder: string;
  readonly channels: readonly string[];
  readonly holdMs: number;
  /** How long a hint may be lost. */
  readonly rereadMs: number;
  /** The caller; when it goes, the hold ends. */
  readonly signal: AbortSignal;
  readonly read: () => Promise<T>;
  readonly isOver: (value: T) => boolean;
  /** After a hint whose cause cannot be read yet: further reads after these pauses. */
  readonly chaseMs?: readonly number[];
  /** Told every `beatMs`, with the time held so far. */
  readonly onBeat?: (heldMs: number) => void;
  readonly beatMs?: number;
}

export interface Held<T> {
  /** What was read last. */
  readonly value: T;
  /** `over`: it came about. `late`: time is up. `gone`: the caller left. `draining`: we leave; ask again. */
  readonly ended: 'over' | 'late' | 'gone' | 'draining';
}

export interface Holds {
  /** Throws what the first read throws, and LIMIT_EXCEEDED when this key holds too many requests. */
  hold<T>(options: HoldOptions<T>): Promise<Held<T>>;
  /** Counts something else that stays open, such as a stream, up to `max`. Returns how to end it. */
  open(holder: string, max: number): () => void;
  /** End all holds now, and every later one at once. */
  drain(): void;
  readonly draining: AbortSignal;
  /** Open now, over all keys. */
  readonly size: number;
}

export const holdsPerKeyMax = 100;

export function createHolds(options: {
  readonly pubsub: PubSub;
  readonly metrics: Metrics;
}): Holds {
  const perKey = new Map<string, number>();
  const drained = new AbortController();
  let size = 0;
  options.metrics.gauge({
    name: 'makima_http_holds',
    help: 'Requests and streams that are held open.',
    collect: (gauge) => gauge.set(size),
  });

  const open = (holder: string, max: number): (() => void) => {
    const mine = perKey.get(holder) ?? 0;
    if (mine >= max) {
      throw new MakimaError(
        'LIMIT_EXCEEDED',
        `at most ${max} requests of this kind are held open`,
        {
          retryable: true,
          details: { limit: max },
          fix: 'end one of them, or wait for several things with one request',
        },
      );
    }
    perKey.set(holder, mine + 1);
    size += 1;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      size -= 1;
      const left = (perKey.get(holder) ?? 1) - 1;
      if (left > 0) perKey.set(holder, left);
      else perKey.delete(holder);
    };
  };

  return {
    open,
    async hold<T>(hold: HoldOptions<T>): Promise<Held<T>> {
      const end = open(hold.holder, holdsPerKeyMax);
      try {
        return await holdOn(options.pubsub, drained.signal, hold);
      } finally {
        end();
      }
    },
    drain: () => drained.abort(),
    draining: drained.signal,
    get size() {
      return size;
    },
  };
}

async function holdOn<T>(
  pubsub: PubSub,
  draining: AbortSignal,
  hold: HoldOptions<T>,
): Promise<Held<T>> {
  const sinceMs = performance.now();
  const leftMs = (): number => hold.holdMs - (performance.now() - sinceMs);
  // Nobody waits: one read, and no subscription for it.
  if (hold.holdMs <= 0) {
    const value = await hold.read();
    return { value, ended: hold.isOver(value) ? 'over' : 'late' };
  }
  const bell = createBell();
  const unsubscribes = await Promise.all(
    hold.channels.map((name) => pubsub.subscribe(name, () => bell.ring())),
  );
  let beat: NodeJS.Timeout | undefined;
  const onEnd = (): void => bell.ring();
  hold.signal.addEventListener('abort', onEnd);
  draining.addEventListener('abort', onEnd);
  try {
    let value = await hold.read();
    let chase: readonly number[] = [];
    for (;;) {
      if (hold.isOver(value)) return { value, ended: 'over' };
      if (hold.signal.aborted) return { value, ended: 'gone' };
      if (draining.aborted) return { value, ended: 'draining' };
      const left = leftMs();
      beat ??= startBeat(hold, sinceMs);
      if (left <= 0) return { value, ended: 'late' };
      const rang = await bell.wait(Math.min(left, chase[0] ?? hold.rereadMs));
      chase = rang ? (hold.chaseMs ?? []) : chase.slice(1);
      value = await readAgain(hold, value);
    }
  } finally {
    clearInterval(beat);
    hold.signal.removeEventListener('abort', onEnd);
    draining.removeEventListener('abort', onEnd);
    for (const unsubscribe of unsubscribes) unsubscribe();
  }
}

/** The first beat at once: whoever waits long wants to know early that it does. */
function startBeat<T>(hold: HoldOptions<T>, sinceMs: number): NodeJS.Timeout | undefined {
  const { onBeat } = hold;
  if (onBeat === undefined) return undefined;
  onBeat(performance.now() - sinceMs);
  return setInterval(() => onBeat(performance.now() - sinceMs), hold.beatMs ?? 15_000);
}

/** A store that does not answer now may answer at the next look. */
async function readAgain<T>(hold: HoldOptions<T>, last: T): Promise<T> {
  try {
    return await hold.read();
  } catch (error) {
    if (isMakimaError(error) && error.code === 'DEPENDENCY_UNAVAILABLE') return last;
    throw error;
  }
}
