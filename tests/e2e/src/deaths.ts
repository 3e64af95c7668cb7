// Deaths of the stack's own processes.
// Law: SIGKILL to the process that runs now; the stack starts the next one, and only that one counts as back.
import type { House } from './house.ts';
import { eventually } from './patience.ts';

export interface Death {
  readonly pid: number;
  /** Resolves when another process serves in its place. */
  readonly back: Promise<void>;
}

/** Kills a process of the stack by its name, for instance `api`. */
export function kill(house: Pick<House, 'stack'>, name: string): Death {
  const one = house.stack.process(name);
  const { pid } = one;
  if (pid === null) throw new Error(`${name} does not run`);
  process.kill(pid, 'SIGKILL');
  const replaced = (): boolean => one.pid !== null && one.pid !== pid && one.isReady;
  const back = eventually(replaced, (is) => is, { what: `the return of ${name}` });
  return { pid, back: back.then(() => undefined) };
}
