// Clocks of a house that can be moved, process by process.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Programs that a process starts get it from nobody: agents have an environment of their own. */
const nodeOptions = 'NODE_OPTIONS';
const preload = join(import.meta.dirname, 'shifted-clock.ts');

export interface Clocks {
  within(process: string, environment: Readonly<NodeJS.ProcessEnv>): NodeJS.ProcessEnv;
  shift(process: string, byMs: number): void;
  /** By how much the process says that it is off. */
  seen(process: string): number;
}

export function clocksIn(dir: string): Clocks {
  mkdirSync(dir, { recursive: true });
  const fileOf = (process: string): string => join(dir, process);
  return {
    within(process, environment) {
      const url = pathToFileURL(preload);
      url.searchParams.set('file', fileOf(process));
      const options = [environment[nodeOptions] ?? '', `--import=${url.href}`].join(' ').trim();
      return { ...environment, [nodeOptions]: options };
    },
    shift(process, byMs) {
      if (byMs === 0) rmSync(fileOf(process), { force: true });
      else writeFileSync(fileOf(process), String(byMs));
    },
    seen(process) {
      try {
        return Number(readFileSync(`${fileOf(process)}.seen`, 'utf8'));
      } catch {
        return 0;
      }
    },
  };
}
