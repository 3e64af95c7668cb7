// The logs of all processes, read while they grow: nobody may die of an error that nobody caught.
// Why: logs are cut off at a size; what was said in the first minute of an hour is gone at its end.
// Law: every line is read once, wherever its file was moved meanwhile.
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** In the words of our processes, and of a Node that has none of our handlers: its last line is its version. */
const uncaught = /uncaught ?exception|unhandled ?rejection|^Node\.js v\d+\.|^FATAL ERROR: /i;

export interface LogReader {
  /** Reads what is new. */
  look(): void;
  /** What was found up to now, a line each. */
  readonly findings: readonly string[];
}

interface Read {
  offset: number;
  /** Half a line. */
  rest: string;
}

export function logReader(dir: string): LogReader {
  const read = new Map<number, Read>();
  const findings: string[] = [];
  const lookInto = (name: string): void => {
    const file = openSync(join(dir, name), 'r');
    try {
      const { ino, size } = fstatSync(file);
      const known = read.get(ino) ?? { offset: 0, rest: '' };
      read.set(ino, known);
      if (size <= known.offset) return;
      const buffer = Buffer.alloc(size - known.offset);
      known.offset += readSync(file, buffer, 0, buffer.length, known.offset);
      const lines = (known.rest + buffer.toString('utf8')).split('\n');
      known.rest = lines.pop() ?? '';
      for (const line of lines)
        if (uncaught.test(line)) findings.push(`${name}: ${line.slice(0, 1_000)} (I40)`);
    } finally {
      closeSync(file);
    }
  };
  return {
    findings,
    look() {
      if (!existsSync(dir)) return;
      for (const name of readdirSync(dir)) {
        try {
          lookInto(name);
        } catch (error) {
          // It was moved in this moment; the next look finds it under its new name.
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        }
      }
    },
  };
}
