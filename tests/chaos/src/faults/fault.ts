// What a kind of fault is: it strikes, it may last, it is healed, and it shows that it bit.
// Why: a run in which nothing was really hit would pass, and prove nothing.
// Law: it hits what this run started, by pid or through a link of its own; a fault that found nothing to hit is null.
import type { House } from '../house/house.ts';

export interface Aim {
  /** From 0 to 1: which of those that could be hit. */
  readonly at: number;
  /** From 0 to 1: how long or how hard, within what the kind allows. */
  readonly force: number;
}

export interface Strike {
  /** Who was hit, for people to read. */
  readonly hit: string;
  /** The moment of the blow, where looking for whom to hit takes a while; else when it was asked for. */
  readonly at?: number;
  /** How long it lasts; nothing for a blow. */
  readonly lastsMs?: number;
  heal?(): void | Promise<void>;
  /** What shows that it bit (a restart, a reconnect, a stall); undefined while nothing does. */
  evidence(): string | undefined | Promise<string | undefined>;
  /** Machines that it touches; nobody else feels it. Absent: whoever works may feel it. */
  readonly touches?: readonly string[];
  /** Attempts of agents that it ended. */
  readonly ended?: readonly { readonly task: string; readonly attempt: number }[];
}

export interface Fault {
  readonly about: string;
  /**
   * How it is told that everything is at work again: by the agents that it ended, or by a task that is asked
   * for. `none` where nobody knows when it began, or where it is what the fault must not be (an end).
   */
  readonly recovery: 'agents' | 'probe' | 'none';
  /** In a long run, some of its blows come with nothing else around, so that its recovery is told from all others. */
  readonly isAloneAtTimes?: true;
  /** The smallest house and the shortest run in which it can strike and be over. */
  readonly needs?: { readonly machines: number; readonly seconds: number };
  strike(house: House, aim: Aim): Promise<Strike | null> | Strike | null;
}

/** So long within its bounds. */
export function lasting(aim: Aim, minMs: number, maxMs: number): number {
  return Math.round(minMs + aim.force * (maxMs - minMs));
}
