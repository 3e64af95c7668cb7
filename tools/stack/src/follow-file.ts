// Follows what is appended to a file, through rotations.
// Why: `logs -f` and a background start show what happens as it happens.
// Law: a file that does not exist yet, or is replaced, is followed from its beginning.
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

export interface Following {
  stop: () => void;
}

const intervalMs = 150;
const maxReadBytes = 256 * 1024;

/** Calls `onText` with everything that is appended, from now (`end`) or from the beginning. */
export const followFile = (
  path: string,
  from: 'start' | 'end',
  onText: (text: string) => void,
): Following => {
  const before = statSync(path, { throwIfNoEntry: false });
  let inode = before?.ino;
  let offset = from === 'end' ? (before?.size ?? 0) : 0;
  const read = (): void => {
    const fd = openQuietly(path);
    if (fd === undefined) return;
    try {
      const { ino, size } = fstatSync(fd);
      if (ino !== inode || size < offset) [inode, offset] = [ino, 0];
      const buffer = Buffer.alloc(Math.min(size - offset, maxReadBytes));
      if (buffer.length === 0) return;
      const length = readSync(fd, buffer, 0, buffer.length, offset);
      offset += length;
      onText(buffer.toString('utf8', 0, length));
    } finally {
      closeSync(fd);
    }
  };
  const timer = setInterval(read, intervalMs);
  return {
    stop: () => {
      clearInterval(timer);
      read();
    },
  };
};

const openQuietly = (path: string): number | undefined => {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
};
