/**
 * A loop round one `tick()`: at an interval, at once when poked, never two at a time. The tick is the work
 * and can be called by a test; the loop only decides when.
 *
 * Law: an error of a tick is logged and counted and ends nothing; `stop` waits for the tick that runs.
 */
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export interface LoopOptions {
  readonly name: string;
  /** The work. A returned number is the wait before the next tick, in milliseconds, instead of the interval. */
  readonly tick: (signal: AbortSignal) => Promise<number | void> | number | void;
  readonly intervalMs: number;
  /** Part of the interval that is random, 0 to 1; keeps processes from marching in step. Default 0.1. */
  readonly jitter?: number;
  readonly log: Log;
  readonly metrics?: Metrics;
}

export interface Loop {
  readonly name: string;
  /** Begin; the first tick runs at once. Twice is fine. */
  start(): void;
  /** No further tick; resolves when the running one has ended. Twice is fine, before start is fine. */
  stop(): Promise<void>;
  /** Tick as soon as possible: now, or right after the running tick. */
  poke(): void;
  /** Run one tick now (after the running one) and throw what it throws. For tests and for shutdown. */
  tick(): Promise<void>;
}

export function createLoop(options: LoopOptions): Loop {
  let controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let started = false;
  let poked = false;
  /** The tail of the chain of ticks: whoever wants a tick waits for it first. */
  let tail: Promise<unknown> = Promise.resolve();
  let inTurn = false;

  const enqueue = (): Promise<number | void> => {
    const next = tail.then(() => tickOnce(options, controller.signal));
    tail = next.catch(() => undefined);
    return next;
  };
  const turn = async (): Promise<void> => {
    poked = false;
    inTurn = true;
    let waitMs: number | void = undefined;
    try {
      waitMs = await enqueue();
    } catch (error) {
      options.log.error({ err: error, loop: options.name }, 'tick failed');
    }
    inTurn = false;
    if (started) schedule(poked ? 0 : (waitMs ?? jittered(options)));
  };
  const schedule = (waitMs: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void turn(), waitMs);
  };

  return {
    name: options.name,
    start() {
      if (started) return;
      started = true;
      controller = new AbortController();
      schedule(0);
    },
    async stop() {
      started = false;
      clearTimeout(timer);
      controller.abort();
      await tail;
    },
    poke() {
      if (!started || poked) return;
      poked = true;
      if (!inTurn) schedule(0); // else the turn that ends sees the poke
    },
    async tick() {
      await enqueue();
    },
  };
}

async function tickOnce(options: LoopOptions, signal: AbortSignal): Promise<number | void> {
  const count = (outcome: 'ok' | 'error'): void =>
    options.metrics
      ?.counter({
        name: 'makima_loop_ticks_total',
        help: 'Ticks of the loops of this process by outcome.',
        labels: ['loop', 'outcome'],
      })
      .inc({ loop: options.name, outcome });
  try {
    const waitMs = await options.tick(signal);
    count('ok');
    return waitMs;
  } catch (error) {
    count('error');
    throw error;
  }
}

function jittered(options: LoopOptions): number {
  const share = options.jitter ?? 0.1;
  return options.intervalMs * (1 - share + 2 * share * Math.random());
}
