/**
 * Whether the store has been there long enough for everybody who lives to have been heard of since. After an
 * outage, a machine's sleep or a step of the database's clock, every lease looks expired and every daemon
 * silent, although their beats are on the way.
 *
 * Law: nobody is given up for a silence that may have been the store's, or that only its clock saw.
 */

export interface SettledOptions {
  /** How long the store itself has been up, and what its clock says, in milliseconds; throws when it does not answer. */
  readonly look: () => Promise<StoreMoment>;
  /** Milliseconds of a clock that never jumps and rests while the machine sleeps. */
  readonly now: () => number;
  /** How long those who live may take to come back. */
  readonly graceMs: number;
}

export interface StoreMoment {
  readonly uptimeMs: number;
  readonly clockMs: number;
}

/** More than a slow answer explains, less than a lease. */
const stepMs = 5_000;

/** Ask it before each look: it remembers when the store was last away, or its clock last made a step. */
export function settling(options: SettledOptions): () => Promise<boolean> {
  let awayAt = Number.NEGATIVE_INFINITY;
  let last: { readonly at: number; readonly clockMs: number } | undefined;
  return async () => {
    try {
      const { uptimeMs, clockMs } = await options.look();
      const at = options.now();
      const before = last;
      last = { at, clockMs };
      const passed = before === undefined ? 0 : clockMs - before.clockMs - (at - before.at);
      if (Math.abs(passed) > stepMs) awayAt = at;
      if (uptimeMs < options.graceMs) return false;
    } catch {
      awayAt = options.now();
      return false;
    }
    return options.now() - awayAt >= options.graceMs;
  };
}
