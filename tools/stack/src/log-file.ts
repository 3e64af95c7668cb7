// A log file that is cut off at a size, and the reading of its end.
// Why: a stack runs for weeks; its logs shall not fill the disk.
// Law: at most `keep` old files of `maxBytes` each stay beside the current one.
import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';

export interface LogLimits {
  maxBytes: number;
  keep: number;
}

const defaultLimits: LogLimits = { maxBytes: 10 * 1024 * 1024, keep: 2 };

export class LogFile {
  readonly path: string;
  #limits: LogLimits;
  #fd: number;
  #size: number;

  constructor(path: string, limits: LogLimits = defaultLimits) {
    this.path = path;
    this.#limits = limits;
    this.#fd = openSync(path, 'a', 0o600);
    this.#size = fstatSync(this.#fd).size;
  }

  write(chunk: Buffer | string): void {
    if (this.#fd < 0) return;
    if (this.#size >= this.#limits.maxBytes) this.#rotate();
    this.#size += writeSync(this.#fd, Buffer.from(chunk));
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #rotate(): void {
    closeSync(this.#fd);
    for (let index = this.#limits.keep; index >= 1; index -= 1) {
      const from = index === 1 ? this.path : `${this.path}.${index - 1}`;
      if (statSync(from, { throwIfNoEntry: false })) renameSync(from, `${this.path}.${index}`);
    }
    this.#fd = openSync(this.path, 'a', 0o600);
    this.#size = 0;
  }
}

/** The last lines of a file, at most 256 KiB of it; nothing when it does not exist. */
export const lastLines = (path: string, count: number): string[] => {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return [];
  }
  try {
    const { size } = fstatSync(fd);
    const length = Math.min(size, 256 * 1024);
    const buffer = Buffer.alloc(length);
    readSync(fd, buffer, 0, length, size - length);
    const lines = buffer.toString('utf8').split('\n');
    if (lines.at(-1) === '') lines.pop();
    return lines.slice(-count);
  } finally {
    closeSync(fd);
  }
};

/** The last line that speaks of an error, shortened: what to tell somebody first. */
export const tellingLine = (path: string): string | undefined => {
  const line = lastLines(path, 60).findLast((text) =>
    /[Ee]rror\b|"level":"(?:error|fatal)"/.test(text),
  );
  return line?.trim().slice(0, 300);
};

/** Names of the logs in a folder, without their ending. */
export const logNames = (dir: string): string[] => {
  try {
    const names = readdirSync(dir).filter((name) => name.endsWith('.log'));
    return names.map((name) => name.slice(0, -'.log'.length)).toSorted();
  } catch {
    return [];
  }
};
