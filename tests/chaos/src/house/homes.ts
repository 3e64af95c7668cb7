// Where the daemons of a house keep their things.
import { join } from 'node:path';
import type { House } from './house.ts';

export function daemonHomesOf({ machines, dir, stack }: House): string[] {
  return machines.map((name) => homeOf({ dir, stack }, name));
}

/** Of the machines that are there: one that is gone for good tells nobody anything any more. */
export function livingHomesOf(house: House): string[] {
  return house.machines
    .filter((name) => house.process(name).pid !== null)
    .map((name) => homeOf(house, name));
}

function homeOf({ dir, stack }: Pick<House, 'dir' | 'stack'>, name: string): string {
  return name === 'daemon' ? stack.options.home.daemon : join(dir, 'machines', name, 'daemon');
}
