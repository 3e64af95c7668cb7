// Where the daemons of a house keep their things.
import { join } from 'node:path';
import type { House } from './house.ts';

export function daemonHomesOf({ machines, dir, stack }: House): string[] {
  return machines.map((name) =>
    name === 'daemon' ? stack.options.home.daemon : join(dir, 'machines', name, 'daemon'),
  );
}
