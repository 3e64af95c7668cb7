// When each fault was felt, and by whom: what struck while something else was on its way back.
// Law: a fault is felt from its blow until it has shown its teeth and is healed, and a moment longer; a fault that
// says which machines it touches is nothing to those who need others.
import type { Struck } from '../faults/nemesis.ts';

/** What was hit serves again, and those who need it have not noticed yet. */
const afterwardsMs = 1_000;
/** A trap springs a while after it was set, and is seen to have sprung within this. */
const trapMs = 3_000;

export interface Calendar {
  note(struck: Struck): void;
  /** Other faults that were felt between the blow of this one and then, by what works on this machine. */
  others(struck: Struck, until: number, machine: string | null): string[];
}

interface Felt {
  readonly struck: Struck;
  from: number;
  until: number;
}

export function calendarOf(): Calendar {
  const all: Felt[] = [];
  return {
    note(struck) {
      const felt: Felt = {
        struck,
        from: struck.at,
        until: struck.at + (struck.strike.lastsMs ?? 0) + afterwardsMs,
      };
      all.push(felt);
      void struck.bite.then((bite) => {
        if (bite === null) return;
        felt.until = Math.max(felt.until, Date.now() + afterwardsMs);
        if (struck.kind === 'racepoint') felt.from = Date.now() - trapMs;
      });
    },
    others: (struck, until, machine) =>
      all
        .filter((felt) => felt.struck !== struck && felt.from < until && felt.until > struck.at)
        .filter(({ struck: other }) => touches(other, struck, machine))
        .map(({ struck: other }) => other.kind),
  };
}

function touches(other: Struck, struck: Struck, machine: string | null): boolean {
  const { touches: felt } = other.strike;
  if (felt === undefined) return true;
  const needed = [...(struck.strike.touches ?? []), ...(machine === null ? [] : [machine])];
  return felt.some((name) => needed.includes(name));
}
