// On which machine of a house a process runs.
import type { House } from './house.ts';
import { parentOf } from './process-tree.ts';

/** By its ancestors; null when it is gone already or was never below one. */
export function machineOf(house: House, pid: number): string | null {
  const names = new Map(house.machines.map((name) => [house.process(name).pid, name]));
  for (let at: number | null = pid; at !== null && at > 1; at = parentOf(at)) {
    const name = names.get(at);
    if (name !== undefined) return name;
  }
  return null;
}
