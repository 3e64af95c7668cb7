/**
 * Reads what Codex adds to a conversation's file while it runs.
 *
 * Law: whole lines only, each once, in order; a file that is not there yet has none. It looks when it is asked
 * to and a moment after the agent has said something, for the file follows its words.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export interface FileTail {
  /** Where to read, once it is known. */
  follow(path: string, fromByte: number): void;
  /** Something has happened: look now, and once more soon. */
  look(): void;
  /** Look once more, then never again. */
  end(): void;
}

const soonMs = 40;

export function fileTail(onLines: (lines: readonly string[]) => void): FileTail {
  let path: string | null = null;
  let at = 0;
  let timer: NodeJS.Timeout | undefined;
  const pull = () => {
    if (path === null) return;
    const added = readFrom(path, at);
    if (added === null) return;
    at += added.length;
    const lines = added
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '');
    if (lines.length > 0) onLines(lines);
  };
  return {
    follow(where, fromByte) {
      path = where;
      at = fromByte;
    },
    look() {
      pull();
      timer ??= setTimeout(() => {
        timer = undefined;
        pull();
      }, soonMs);
      timer.unref();
    },
    end() {
      clearTimeout(timer);
      pull();
      path = null;
    },
  };
}

/** The whole lines from there on, or null when there are none. */
function readFrom(path: string, fromByte: number): Buffer | null {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    const bytes = fstatSync(file).size - fromByte;
    if (bytes <= 0) return null;
    const buffer = Buffer.alloc(bytes);
    const read = readSync(file, buffer, 0, bytes, fromByte);
    const end = buffer.lastIndexOf(0x0a, read - 1) + 1;
    return end === 0 ? null : buffer.subarray(0, end);
  } finally {
    closeSync(file);
  }
}
