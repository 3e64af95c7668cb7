/**
 * Reading small files that a stranger may have replaced by a link, a pipe or a giant.
 *
 * Law: never follows a link in the last component, never blocks, never reads past the cap.
 *
 * export readPlainFile(path, maxBytes): Promise<Buffer | null>      null: not there, or not a regular file
 * export readPlainTail(path, maxBytes): Promise<Buffer | null>      the last maxBytes
 * export kindOf(path): Promise<'file' | 'directory' | 'link' | 'other' | 'missing'>
 */
import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';

const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export async function readPlainFile(path: string, maxBytes: number): Promise<Buffer | null> {
  const found = await readFrom(path, maxBytes, () => 0);
  return found !== null && found.length > maxBytes ? null : found;
}

export async function readPlainTail(path: string, maxBytes: number): Promise<Buffer | null> {
  const found = await readFrom(path, maxBytes, (size) => Math.max(0, size - maxBytes));
  return found?.subarray(0, maxBytes) ?? null;
}

export type FileKind = 'file' | 'directory' | 'link' | 'other' | 'missing';

export async function kindOf(path: string): Promise<FileKind> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return 'missing';
  if (found.isSymbolicLink()) return 'link';
  if (found.isDirectory()) return 'directory';
  return found.isFile() ? 'file' : 'other';
}

/** One byte more than the cap, so that the caller can tell a file that is too large. */
async function readFrom(
  path: string,
  maxBytes: number,
  start: (size: number) => number,
): Promise<Buffer | null> {
  const handle = await open(path, flags).catch(() => null);
  if (handle === null) return null;
  try {
    const found = await handle.stat();
    if (!found.isFile()) return null;
    const from = start(found.size);
    const room = Buffer.alloc(Math.min(maxBytes + 1, Math.max(found.size - from, 0) + 1));
    let filled = 0;
    while (filled < room.length) {
      const { bytesRead } = await handle.read(room, filled, room.length - filled, from + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return room.subarray(0, filled);
  } finally {
    await handle.close();
  }
}
