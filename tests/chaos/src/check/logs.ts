// The logs of all processes: nobody may have died of an error that nobody caught.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Verdict } from './verdict.ts';

const uncaught = /uncaught ?exception|unhandled ?rejection/i;

export function checkLogs(dir: string, into: Verdict): void {
  if (!existsSync(dir)) return;
  for (const name of readdirSync(dir)) {
    const lines = readFileSync(join(dir, name), 'utf8').split('\n');
    for (const line of lines)
      if (uncaught.test(line)) into.broken.push(`${name}: ${line.slice(0, 1_000)} (I40)`);
  }
}
