/**
 * How many connections are let in per second. Thousands of daemons that lost their gateway come back at
 * once; those over the rate are told when to come again, spread over the time that the rest will take.
 *
 * Law: refusing is cheap and needs no store.
 */

export interface Admission {
  /** 0 when admitted; else how many seconds to stay away. */
  admit(): number;
}

export interface AdmissionOptions {
  readonly perSecond: number;
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
}

const retryMaxSeconds = 30;
/** A refusal older than this is somebody who comes again, or not at all. */
const refusalMs = 10_000;

export function createAdmission(options: AdmissionOptions): Admission {
  const { perSecond, now, random } = options;
  let tokens = perSecond;
  let filledAt = now();
  let refused = 0;
  let refusedAt = 0;

  return {
    admit() {
      const at = now();
      tokens = Math.min(perSecond, tokens + ((at - filledAt) / 1_000) * perSecond);
      filledAt = at;
      if (at - refusedAt > refusalMs) refused = 0;
      if (tokens >= 1) {
        tokens -= 1;
        return 0;
      }
      refused += 1;
      refusedAt = at;
      const spread = Math.min(refused / perSecond + 1, retryMaxSeconds);
      return Math.max(1, Math.ceil(random() * spread));
    },
  };
}
