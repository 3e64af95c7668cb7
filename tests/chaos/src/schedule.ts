// The timetable of a run: which fault when, whom it aims at, how long it lasts.
// Law: a function of the seed, the kinds and the length alone. What a fault finds when its time comes is the world's affair.
import { chanceOf } from './chance.ts';

export interface Appointment<Kind extends string = string> {
  readonly atMs: number;
  readonly kind: Kind;
  /** From 0 to 1: which of those that could be hit. */
  readonly aim: number;
  /** From 0 to 1: how long, within what its kind allows. */
  readonly length: number;
}

export interface Pace {
  readonly gapMinMs: number;
  readonly gapMaxMs: number;
  /** Around a blow that has a while to itself, every second time that its kind strikes; absent: none has. */
  readonly calm?: { readonly beforeMs: number; readonly afterMs: number };
}

export const standardPace: Pace = { gapMinMs: 300, gapMaxMs: 2_500 };
/** One to three faults in five seconds: what comes back alone can be told from what was struck again. */
export const steadyPace: Pace = { gapMinMs: 500, gapMaxMs: 4_500 };
/** What struck before is over, and whoever was hit is back, before anything else strikes. */
export const longPace: Pace = { ...steadyPace, calm: { beforeMs: 8_000, afterMs: 12_000 } };
/** Each kind so often at least, else the faults of a run come faster. */
const roundsMin = 3;

export function paceOf(kinds: number, forMs: number): Pace {
  const gapMs = (steadyPace.gapMinMs + steadyPace.gapMaxMs) / 2;
  const rounds = forMs / (kinds * gapMs);
  if (rounds < roundsMin) return standardPace;
  return rounds < 2 * roundsMin ? steadyPace : longPace;
}

/** Every kind in turn, each round in another order, until `untilMs`. */
export function timetableOf<Kind extends string>(
  seed: number,
  kinds: readonly Kind[],
  {
    untilMs,
    pace = standardPace,
    mayBeAlone = () => false,
  }: {
    readonly untilMs: number;
    readonly pace?: Pace;
    /** Kinds that have calm around them, where the pace has any. */
    readonly mayBeAlone?: (kind: Kind) => boolean;
  },
): Appointment<Kind>[] {
  if (kinds.length === 0) return [];
  const chance = chanceOf(seed);
  const timetable: Appointment<Kind>[] = [];
  let round: Kind[] = [];
  let rounds = 0;
  for (let atMs = 0; ;) {
    atMs += chance.between(pace.gapMinMs, pace.gapMaxMs);
    if (round.length === 0) {
      round = shuffled(kinds, () => chance.next());
      rounds += 1;
    }
    const kind = round.pop();
    if (kind === undefined) return timetable;
    const calm = rounds % 2 === 0 && mayBeAlone(kind) ? pace.calm : undefined;
    atMs += calm?.beforeMs ?? 0;
    if (atMs >= untilMs) return timetable;
    timetable.push({ atMs: Math.round(atMs), kind, aim: chance.next(), length: chance.next() });
    atMs += calm?.afterMs ?? 0;
  }
}

/** Fisher and Yates's, so that every order is as likely as every other. */
function shuffled<T>(list: readonly T[], next: () => number): T[] {
  const mixed = [...list];
  for (let end = mixed.length - 1; end > 0; end -= 1) {
    const other = Math.floor(next() * (end + 1));
    const [a, b] = [mixed[end], mixed[other]];
    if (a === undefined || b === undefined) continue;
    mixed[end] = b;
    mixed[other] = a;
  }
  return mixed;
}

/** The one that an aim points at; undefined when there is none. */
export function aimedAt<T>(list: readonly T[], aim: number): T | undefined {
  return list[Math.min(list.length - 1, Math.floor(aim * list.length))];
}
