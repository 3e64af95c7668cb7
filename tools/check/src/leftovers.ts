// Looks for processes that a run has left behind.
// Why: "leaves no process" is a promise, and a promise wants a test.
// Law: only processes that began after the run, and that plainly belong to this checkout or to
// makima's temporary folders, are counted; those before it are somebody else's.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Leftover {
  pid: number;
  commandLine: string;
}

/** Ids of all processes that live now. */
export const livingProcesses = (): Set<number> =>
  new Set(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number),
  );

/** Processes of this checkout that were not there before. */
export const leftoversSince = (before: ReadonlySet<number>, checkout: string): Leftover[] => {
  const ours = [checkout, join(tmpdir(), 'makima'), '/dev/shm/makima'];
  const belongs = (text: string): boolean => ours.some((place) => text.includes(place));
  return [...livingProcesses()].flatMap((pid) => {
    if (before.has(pid) || pid === process.pid) return [];
    const commandLine = read(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')).replaceAll(
      '\0',
      ' ',
    );
    const folder = read(() => readlinkSync(`/proc/${pid}/cwd`));
    const isOurs = commandLine !== '' && (belongs(commandLine) || belongs(folder));
    return isOurs ? [{ pid, commandLine: commandLine.trim() }] : [];
  });
};

const read = (from: () => string): string => {
  try {
    return from();
  } catch {
    return '';
  }
};
