// How long it takes until everything is at work again after a fault.
// Why: "comes back" is worth something in seconds.
// Law: measured from outside. An agent is back with the first thing that its next attempt does; everything else with
// the first agent of a task that somebody asked for when the fault struck. Every sample counts; those that nothing
// else struck meanwhile are told apart as well.
import type { Fault } from '../faults/fault.ts';
import type { Struck } from '../faults/nemesis.ts';
import type { House } from '../house/house.ts';
import { machineOf } from '../house/machine-of.ts';
import type { Prober } from '../load/probe.ts';
import { calendarOf } from './calendar.ts';

export interface Quantiles {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  readonly samples: number;
}

export interface Spread extends Quantiles {
  /** Of those, the ones during which no other fault touched what they needed; null when there was none. */
  readonly alone: Quantiles | null;
}

export interface Recoveries {
  watch(struck: Struck): void;
  /** Looks who is back. */
  look(): void;
  /** Resolves when nobody is missed any more, or after `withinMs`. */
  settled(withinMs: number): Promise<void>;
  spreads(): Record<string, Spread>;
  /** The slowest of each kind, with what else struck meanwhile: for people to read. */
  slowest(): string[];
  /** Who never came back although somebody waited: for people to read. */
  missing(): string[];
}

interface Awaited {
  readonly struck: Struck;
  readonly task: string;
  /** The next attempt is above this one. */
  readonly above: number;
}

interface Sample {
  readonly struck: Struck;
  readonly task: string;
  readonly backAt: number;
  readonly ms: number;
  /** Where it works now. */
  readonly machine: string | null;
}

export function recoveriesOf(
  house: House,
  prober: Prober,
  faults: Readonly<Record<string, Fault>>,
): Recoveries {
  const samples: Sample[] = [];
  const awaited = new Set<Awaited>();
  const probing = new Set<string>();
  const calendar = calendarOf();
  let seen = 0;

  const took = (struck: Struck, back: { task: string; at: number; pid: number }): void => {
    const ms = Math.max(0, Math.round(back.at - struck.at));
    const machine = machineOf(house, back.pid);
    samples.push({ struck, task: back.task, backAt: back.at, ms, machine });
  };
  const probe = async (struck: Struck): Promise<void> => {
    const { kind } = struck;
    // One at a time for each kind: more would measure how many there are.
    if (probing.has(kind)) return;
    probing.add(kind);
    try {
      const started = await prober.ask(kind);
      if (started !== null) took(struck, started);
    } finally {
      probing.delete(kind);
    }
  };
  const look = (): void => {
    const lines = house.ledger.lines();
    for (; seen < lines.length; seen += 1) {
      const line = lines[seen];
      if (line === undefined || line.event === 'start') continue;
      for (const one of awaited) {
        if (one.task !== line.task || line.attempt <= one.above) continue;
        took(one.struck, line);
        awaited.delete(one);
      }
    }
  };
  const isAlone = ({ struck, backAt, machine }: Sample): boolean =>
    calendar.others(struck, backAt, machine).length === 0;
  const byKind = (): Map<string, Sample[]> => Map.groupBy(samples, ({ struck }) => struck.kind);
  return {
    watch(struck) {
      calendar.note(struck);
      const recovery = faults[struck.kind]?.recovery;
      if (recovery === 'probe') return void probe(struck);
      if (recovery !== 'agents') return;
      for (const { task, attempt } of struck.strike.ended ?? [])
        awaited.add({ struck, task, above: attempt });
    },
    look,
    async settled(withinMs) {
      const limit = performance.now() + withinMs;
      while (probing.size > 0 && performance.now() < limit)
        await new Promise((resolve) => setTimeout(resolve, 50));
      look();
    },
    spreads: () =>
      Object.fromEntries(
        [...byKind()].map(([kind, all]) => [kind, spreadOf(msOf(all), msOf(all.filter(isAlone)))]),
      ),
    slowest: () =>
      [...byKind()].map(([kind, all]) => {
        const worst = all.toSorted((a, b) => b.ms - a.ms)[0];
        if (worst === undefined) return kind;
        const others = calendar.others(worst.struck, worst.backAt, worst.machine);
        const beside = others.length === 0 ? 'alone' : `beside ${others.join(', ')}`;
        return `${kind}: ${worst.ms} ms (task ${worst.task} on ${worst.machine ?? 'nobody knows where'}), ${beside}`;
      }),
    missing: () => [...probing].map((kind) => `a task asked for at ${kind} never began`),
  };
}

function msOf(samples: readonly Sample[]): number[] {
  return samples.map(({ ms }) => ms);
}

export function spreadOf(list: readonly number[], alone: readonly number[] = list): Spread {
  return { ...quantilesOf(list), alone: alone.length === 0 ? null : quantilesOf(alone) };
}

function quantilesOf(list: readonly number[]): Quantiles {
  const sorted = list.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95), max: at(1), samples: sorted.length };
}
