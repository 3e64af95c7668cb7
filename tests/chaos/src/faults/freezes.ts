// Processes that stand still (SIGSTOP) and go on (SIGCONT): an overloaded machine, a debugger, a lid that was closed.
import type { House } from '../house/house.ts';
import { signalAll, stateOf, treeOf } from '../house/process-tree.ts';
import { aimedAt } from '../schedule.ts';
import { lasting, type Aim, type Fault, type Strike } from './fault.ts';

export interface Span {
  readonly minMs: number;
  readonly maxMs: number;
}

const standard: Span = { minMs: 500, maxMs: 5_000 };

export function freeze(name: string, span: Span = standard): Fault {
  return {
    about: `SIGSTOP to ${name}, then SIGCONT`,
    recovery: 'probe',
    strike: (house, aim) => freezeTree(house, name, lasting(aim, span.minMs, span.maxMs)),
  };
}

/** The daemon and all its agents, as a machine that sleeps. */
export const asleep: Fault = {
  about: 'SIGSTOP to a daemon and all its agents, as if the machine slept',
  recovery: 'probe',
  strike(house, aim: Aim) {
    const name = aimedAt(house.machines, aim.at) ?? 'daemon';
    const strike = freezeTree(house, name, lasting(aim, 1_000, 8_000));
    return strike && { ...strike, touches: [name] };
  },
};

export function freezeTree(house: House, name: string, lastsMs: number): Strike | null {
  const { pid } = house.process(name);
  if (pid === null) return null;
  // What it starts while we look is looked for again.
  const pids = treeOf(pid);
  signalAll(pids, 'SIGSTOP');
  const late = treeOf(pid).filter((one) => !pids.includes(one));
  signalAll(late, 'SIGSTOP');
  let stood = false;
  return {
    hit: `${name} (pid ${pid})`,
    lastsMs,
    heal() {
      stood = stateOf(pid) === 'T';
      signalAll([...late, ...pids.toReversed()], 'SIGCONT');
    },
    evidence: () => (stood ? `it stood still for ${lastsMs} ms` : undefined),
  };
}
