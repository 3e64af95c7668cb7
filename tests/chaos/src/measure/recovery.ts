// How long it takes until everything is at work again after a fault.
// Why: "comes back" is worth something in seconds.
// Law: measured from outside. An agent is back with the first thing that its next attempt does; everything else with
// the first agent of a task that somebody asked for when the fault struck.
import type { Fault } from '../faults/fault.ts';
import type { Struck } from '../faults/nemesis.ts';
import type { House } from '../house/house.ts';
import type { Prober } from '../load/probe.ts';

export interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  readonly samples: number;
}

export interface Recoveries {
  watch(struck: Struck): void;
  /** Looks who is back. */
  look(): void;
  /** Resolves when nobody is missed any more, or after `withinMs`. */
  settled(withinMs: number): Promise<void>;
  spreads(): Record<string, Spread>;
  /** Who never came back although somebody waited: for people to read. */
  missing(): string[];
}

interface Awaited {
  readonly kind: string;
  readonly at: number;
  readonly task: string;
  /** The next attempt is above this one. */
  readonly above: number;
}

export function recoveriesOf(
  house: House,
  prober: Prober,
  faults: Readonly<Record<string, Fault>>,
): Recoveries {
  const samples = new Map<string, number[]>();
  const awaited = new Set<Awaited>();
  const probing = new Set<string>();
  let seen = 0;

  const took = (kind: string, ms: number): void => {
    samples.set(kind, [...(samples.get(kind) ?? []), Math.max(0, Math.round(ms))]);
  };
  const probe = async ({ kind, at }: Struck): Promise<void> => {
    // One at a time for each kind: more would measure how many there are.
    if (probing.has(kind)) return;
    probing.add(kind);
    try {
      const startedAt = await prober.ask(kind);
      if (startedAt !== null) took(kind, startedAt - at);
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
        took(one.kind, line.at - one.at);
        awaited.delete(one);
      }
    }
  };
  return {
    watch(struck) {
      const recovery = faults[struck.kind]?.recovery;
      if (recovery === 'probe') return void probe(struck);
      if (recovery !== 'agents') return;
      for (const { task, attempt } of struck.strike.ended ?? [])
        awaited.add({ kind: struck.kind, at: struck.at, task, above: attempt });
    },
    look,
    async settled(withinMs) {
      const limit = performance.now() + withinMs;
      while (probing.size > 0 && performance.now() < limit)
        await new Promise((resolve) => setTimeout(resolve, 50));
      look();
    },
    spreads: () => Object.fromEntries([...samples].map(([kind, list]) => [kind, spreadOf(list)])),
    missing: () => [...probing].map((kind) => `a task asked for at ${kind} never began`),
  };
}

export function spreadOf(list: readonly number[]): Spread {
  const sorted = list.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95), max: at(1), samples: sorted.length };
}
