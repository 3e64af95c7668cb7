/**
 * Whether the store has been there long enough for everybody who lives to have been heard of since. After an
 * outage every lease looks expired and every daemon silent, although their beats are on the way.
 *
 * Law: nobody is given up for a silence that may have been the store's.
 */

export interface SettledOptions {
  /** How long the store itself has been up, in milliseconds; throws when it does not answer. */
  readonly uptimeMs: () => Promise<number>;
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
  /** How long those who live may take to come back. */
  readonly graceMs: number;
}

/** Ask it before each look: it remembers when the store was last away. */
export function settling(options: SettledOptions): () => Promise<boolean> {
  let awayAt = Number.NEGATIVE_INFINITY;
  return async () => {
    try {
      if ((await options.uptimeMs()) < options.graceMs) return false;
    } catch {
      awayAt = options.now();
      return false;
    }
    return options.now() - awayAt >= options.graceMs;
  };
}
