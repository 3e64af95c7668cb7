/**
 * Whether a silence is somebody's own. After an outage of the store, a machine's sleep or a step of the database's
 * clock, every lease looks expired and every daemon silent, although their beats are on the way.
 *
 * Law: nobody is given up for a silence that may have been the store's, or that only its clock saw. A store that
 * was there for several beats of a silence has heard whoever lives, whatever short outages lay between.
 */
import { renewMs } from '@makima/domain/lease';

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

/** Asked before each look at those who have been silent for so long: it remembers when the store was away. */
export type Settled = (silence: { readonly silentMs: number }) => Promise<boolean>;

/** More than a slow answer explains, less than a lease. */
const stepMs = 5_000;
/** Of a silence, the store was there for this share at least, and for so many beats. */
const heardShare = 2 / 3;
const heardMs = 3 * renewMs;
/** Outages that ended longer ago than any silence that is asked about are forgotten. */
const rememberedMs = 600_000;

interface Away {
  readonly fromMs: number;
  untilMs: number;
}

export function settling(options: SettledOptions): Settled {
  const away: Away[] = [];
  let [steppedAt, failedAt] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let last: { readonly at: number; readonly clockMs: number } | undefined;
  let firstAt: number | undefined;
  let answered = true;

  /** From the last answer before it to now; one that goes on is one. */
  const wasAway = (at: number): void => {
    const open = answered ? undefined : away.at(-1);
    if (open === undefined) away.push({ fromMs: last?.at ?? at, untilMs: at });
    else open.untilMs = at;
    while (away[0] !== undefined && at - away[0].untilMs > rememberedMs) away.shift();
  };
  const heard = (at: number, silentMs: number, uptimeMs: number): boolean => {
    const from = at - silentMs;
    if (steppedAt > from) return false;
    // What was before the first look is known by the store's own age alone.
    const unseenMs = Math.max(0, Math.min(firstAt ?? at, at - uptimeMs) - from);
    const goneMs = away.reduce(
      (sum, { fromMs, untilMs }) => sum + Math.max(0, untilMs - Math.max(from, fromMs)),
      unseenMs,
    );
    return silentMs - goneMs >= Math.max(heardMs, silentMs * heardShare);
  };

  return async ({ silentMs }) => {
    firstAt ??= options.now();
    try {
      const { uptimeMs, clockMs } = await options.look();
      const at = options.now();
      const passed = last === undefined ? 0 : clockMs - last.clockMs - (at - last.at);
      if (Math.abs(passed) > stepMs) steppedAt = at;
      if (!answered) wasAway(at);
      answered = true;
      last = { at, clockMs };
      const calmMs = Math.min(uptimeMs, at - steppedAt, at - failedAt);
      const isSettled = calmMs >= options.graceMs;
      return isSettled || heard(at, silentMs, uptimeMs);
    } catch {
      failedAt = options.now();
      wasAway(failedAt);
      answered = false;
      return false;
    }
  };
}
