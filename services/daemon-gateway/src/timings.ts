/**
 * The times and sizes of a gateway, in one table.
 *
 * Law: units in the names; tests shorten them, nobody else does.
 */
export interface Timings {
  /** Silence before hello that closes a socket. */
  readonly helloMs: number;
  readonly pingMs: number;
  /** How long a hint may be lost. */
  readonly scanMs: number;
  /** How long a frame waits for a store that is away. */
  readonly patienceMs: number;
  /** Bytes that wait to be read, above which nothing more is fetched, and above which the socket ends. */
  readonly backlogBytes: number;
  readonly capBytes: number;
  /** Report frames that wait to be applied, above which the socket is not read. */
  readonly queuedFrames: number;
  readonly queuedBytes: number;
  /** The way out: sockets are sent away over at most this long, so many a second. */
  readonly goawayMs: number;
  readonly goawayPerSecond: number;
  /** All of the way out. */
  readonly drainMs: number;
}

export const defaultTimings: Timings = {
  helloMs: 30_000,
  pingMs: 15_000,
  scanMs: 2_000,
  patienceMs: 30_000,
  backlogBytes: 1_048_576,
  capBytes: 4 * 1_048_576,
  queuedFrames: 64,
  queuedBytes: 8 * 1_048_576,
  goawayMs: 5_000,
  goawayPerSecond: 300,
  drainMs: 12_000,
};
