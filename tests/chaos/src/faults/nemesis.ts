// The nemesis: keeps a timetable of faults, heals what lasts, and collects what shows that each bit.
// Law: what it began it heals, whatever happens; after `calm` nothing of it is left.
import type { House } from '../house/house.ts';
import { inTime, pause } from '../pause.ts';
import type { Appointment } from '../schedule.ts';
import type { Fault, Strike } from './fault.ts';

/** A fault that happened. */
export interface Struck {
  readonly kind: string;
  /** Wall-clock time, as the ledger tells it. */
  readonly at: number;
  readonly strike: Strike;
  /** What showed that it bit; null when nothing did in time. */
  readonly bite: Promise<string | null>;
}

export interface Nemesis {
  readonly struck: readonly Struck[];
  /** Keeps the timetable; resolves after its last appointment, or when the signal ends it. */
  keep(timetable: readonly Appointment[], signal: AbortSignal): Promise<void>;
  /** One fault, now. */
  strike(
    kind: string,
    aim: { readonly at: number; readonly force: number },
  ): Promise<Struck | null>;
  /** Everything is healed. Traps stay: their moment may come while the load runs out. */
  calm(): Promise<void>;
  /** The load has run out: traps go, and what has not shown by now has little time left to. */
  end(): void;
}

export interface NemesisOptions {
  readonly house: House;
  /** What it knows to do, by name. */
  readonly faults: Readonly<Record<string, Fault>>;
  readonly say: (line: string) => void;
  readonly onStruck?: (struck: Struck) => void;
}

/** A trap waits for its moment; everything else shows soon, and after the end at the latest. */
const showsWithinMs = 120_000;
/** What finds nothing to hit (no agent lives, the oracle is away) is tried again, so often. */
const tries = 5;
const betweenTriesMs = 300;
const showsAfterEndMs = 10_000;

export function nemesisOf({ house, faults, say, onStruck }: NemesisOptions): Nemesis {
  const struck: Struck[] = [];
  const open = new Set<Promise<void>>();
  const healNow = new AbortController();
  const over = new AbortController();

  const strike: Nemesis['strike'] = async (kind, aim) => {
    const askedAt = Date.now();
    const blow = await inTime(faults[kind]?.strike(house, aim));
    if (blow == null) return null;
    say(`fault: ${kind}, ${blow.hit}`);
    const healed = lasts(blow, healNow.signal);
    open.add(healed);
    void healed.finally(() => open.delete(healed));
    const bite = healed.then(() => shown(blow, over.signal));
    const one: Struck = { kind, at: blow.at ?? askedAt, strike: blow, bite };
    struck.push(one);
    onStruck?.(one);
    return one;
  };
  return {
    struck,
    strike,
    async keep(timetable, signal) {
      const began = performance.now();
      for (const { atMs, kind, aim, length } of timetable) {
        await pause(began + atMs - performance.now(), signal);
        if (signal.aborted) return;
        for (let left = tries; left > 0 && !signal.aborted; left -= 1) {
          if ((await strike(kind, { at: aim, force: length })) !== null) break;
          await pause(betweenTriesMs, signal);
        }
      }
    },
    async calm() {
      healNow.abort();
      await Promise.all(open);
      house.links.healAll();
    },
    end() {
      house.race.disarmAll();
      over.abort();
    },
  };
}

async function shown(strike: Strike, over: AbortSignal): Promise<string | null> {
  let limit = performance.now() + showsWithinMs;
  const hurry = (): void => void (limit = Math.min(limit, performance.now() + showsAfterEndMs));
  if (over.aborted) hurry();
  else over.addEventListener('abort', hurry, { once: true });
  while (performance.now() < limit) {
    const seen = await inTime(strike.evidence());
    if (seen !== undefined) return seen;
    await pause(100);
  }
  return null;
}

async function lasts(strike: Strike, signal: AbortSignal): Promise<void> {
  if (strike.lastsMs !== undefined) await pause(strike.lastsMs, signal);
  await strike.heal?.();
}
