/**
 * Carries outbox rows from Postgres to Redis: at once when poked after a commit, by a scan every second
 * as the net.
 *
 * Law: claim, add, mark, in this order. A crash in between repeats an addition, which Redis absorbs by the
 * job's id; it never loses a row. While Redis is away nothing is claimed and the rows stay.
 */
import type { JobName } from '@makima/contracts/jobs';
import { createLoop } from '@makima/runtime/loop';
import type { Part } from '@makima/runtime/lifecycle';
import { racepoint } from '@makima/runtime/racepoint';
import type { AddOutcome, Bus, Ticket } from './queues.ts';

/** A job that a transaction asked for. */
export interface OutboxRow {
  readonly id: string;
  readonly queue: JobName;
  readonly jobId: string;
  readonly payload: unknown;
}

/** Where the rows are; implemented over Postgres. */
export interface OutboxPort {
  /**
   * Lease up to `limit` rows that are due, not published and not leased, oldest first. The lease (a few seconds)
   * gives a row back when this process dies.
   */
  claim(limit: number): Promise<readonly OutboxRow[]>;
  /** Mark as published; for rows that are marked already it does nothing. */
  published(ids: readonly string[]): Promise<void>;
  /** Give rows back at once, with the reason for a person to read. */
  failed(ids: readonly string[], error: string): Promise<void>;
}

export interface OutboxRelay extends Part {
  start(): void;
  stop(): Promise<void>;
  /** Rows were committed: relay now. Cheap, at any time. */
  poke(): void;
  /** One round: claim, add, mark, until there is nothing left or Redis is away. */
  tick(): Promise<void>;
}

const claimLimit = 200;
const scanMs = 1_000;
const backoffMinMs = 250;
const backoffMaxMs = 2_000;

export function createOutboxRelay(options: {
  readonly bus: Bus;
  readonly port: OutboxPort;
  /** Shorter scan, for tests. */
  readonly scanMs?: number;
}): OutboxRelay {
  const { bus, port } = options;
  const { log, metrics } = bus.inner;
  const relayed = metrics.counter({
    name: 'makima_outbox_relayed_total',
    help: 'Outbox rows by outcome of their relay (published, returned).',
    labels: ['outcome'],
  });
  let backoffMs = backoffMinMs;
  let stopListening: (() => void) | undefined;

  const backOff = (): number => {
    const waitMs = backoffMs;
    backoffMs = Math.min(backoffMs * 2, backoffMaxMs);
    return waitMs;
  };
  const relay = async (signal: AbortSignal): Promise<number | void> => {
    while (!signal.aborted) {
      if (!bus.ready) return backOff();
      const rows = await port.claim(claimLimit);
      if (rows.length === 0) break;
      await racepoint('outbox.after_claim');
      const outcomes = await bus.add(rows.map(ticketOf));
      await racepoint('outbox.after_add');
      const returned = await mark(port, rows, outcomes);
      relayed.inc({ outcome: 'published' }, rows.length - returned);
      if (returned > 0) {
        relayed.inc({ outcome: 'returned' }, returned);
        const error = outcomes.find((outcome) => outcome.error)?.error;
        log.warn({ err: error, rows: rows.length, returned }, 'outbox rows returned');
        return backOff();
      }
      if (rows.length < claimLimit) break;
    }
    backoffMs = backoffMinMs;
  };
  const loop = createLoop({
    name: 'outbox-relay',
    intervalMs: options.scanMs ?? scanMs,
    tick: relay,
    log,
    metrics,
  });

  return {
    name: 'outbox-relay',
    start() {
      stopListening ??= bus.onReady(() => loop.poke());
      loop.start();
    },
    stop() {
      stopListening?.();
      stopListening = undefined;
      return loop.stop();
    },
    poke: () => loop.poke(),
    tick: () => loop.tick(),
  };
}

/** The payload was checked where the row was written and is parsed where the job is taken. */
function ticketOf(row: OutboxRow): Ticket {
  return { queue: row.queue, jobId: row.jobId, payload: row.payload as Ticket['payload'] };
}

async function mark(
  port: OutboxPort,
  rows: readonly OutboxRow[],
  outcomes: readonly AddOutcome[],
): Promise<number> {
  const done = rows.filter((_, index) => outcomes[index]?.error === undefined);
  const undone = rows.filter((_, index) => outcomes[index]?.error !== undefined);
  if (done.length > 0) await port.published(done.map((row) => row.id));
  // Rows that failed for different reasons keep their own.
  const byReason = Map.groupBy(undone, (row) => outcomes[rows.indexOf(row)]?.error?.message ?? '');
  for (const [reason, group] of byReason) {
    await port.failed(
      group.map((row) => row.id),
      reason,
    );
  }
  return undone.length;
}
