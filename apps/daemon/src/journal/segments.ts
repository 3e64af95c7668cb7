/**
 * The journal's files: numbered segments in one directory, each opened by a `head` line, only the last one
 * written. This file knows bytes and files, not what they mean.
 *
 * Law: what `append` resolved for is on the disk. A torn end is cut off when the last segment is opened; a
 * damaged line anywhere else is an error, for it is no crash's doing.
 */
import { constants } from 'node:fs';
import {
  mkdir,
  open,
  readdir,
  readFile,
  truncate,
  unlink,
  type FileHandle,
} from 'node:fs/promises';
import { join } from 'node:path';
import { scanLines, type ScannedLine } from './line.ts';

const namePattern = /^(\d{10})\.jsonl$/;
const segmentName = (segment: number): string => `${String(segment).padStart(10, '0')}.jsonl`;

export class JournalDamaged extends Error {
  override readonly name = 'JournalDamaged';
}

/** Numbers of the segments in this directory, in order. Makes the directory when it is missing. */
export async function listSegments(directory: string): Promise<number[]> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const names = await readdir(directory);
  return names
    .flatMap((name) => namePattern.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b);
}

/**
 * Reads one segment line by line. With `tornEndAllowed` a torn end is cut off the file.
 * @returns bytes of the segment that stand.
 * @throws JournalDamaged when a line does not hold and that is not allowed.
 */
export async function readSegment(
  directory: string,
  segment: number,
  options: { readonly tornEnd: 'cut' | 'refuse'; readonly visit: (scanned: ScannedLine) => void },
): Promise<number> {
  const path = join(directory, segmentName(segment));
  const bytes = await readFile(path);
  const { lines, goodBytes } = scanLines(bytes);
  if (goodBytes < bytes.length) {
    if (options.tornEnd === 'refuse') {
      throw new JournalDamaged(`journal segment ${segment} is damaged at byte ${goodBytes}`);
    }
    await truncate(path, goodBytes);
  }
  for (const scanned of lines) options.visit(scanned);
  return goodBytes;
}

/** A segment that is being written. */
export interface SegmentWriter {
  readonly segment: number;
  readonly bytes: number;
  /** Appends and brings to the disk; after a failure the file is as before. */
  append(bytes: Buffer): Promise<void>;
  close(): Promise<void>;
}

/** Opens a segment for appending at `bytes`; what may stand behind is cut off. */
export async function openSegment(
  directory: string,
  segment: number,
  bytes: number,
): Promise<SegmentWriter> {
  const flags = constants.O_WRONLY | constants.O_CREAT;
  const file = await open(join(directory, segmentName(segment)), flags, 0o600);
  await file.truncate(bytes);
  await syncDirectory(directory);
  let position = bytes;
  return {
    segment,
    get bytes() {
      return position;
    },
    async append(chunk) {
      try {
        await writeAll(file, chunk, position);
        await file.datasync();
      } catch (error) {
        await file.truncate(position).catch(() => undefined);
        throw error;
      }
      position += chunk.length;
    },
    close: () => file.close(),
  };
}

export async function removeSegment(directory: string, segment: number): Promise<void> {
  await unlink(join(directory, segmentName(segment)));
}

/** Reads `length` bytes at `offset` of a segment. */
export async function readAt(
  directory: string,
  segment: number,
  range: { readonly offset: number; readonly length: number },
): Promise<Buffer> {
  const file = await open(join(directory, segmentName(segment)), 'r');
  try {
    const bytes = Buffer.allocUnsafe(range.length);
    const { bytesRead } = await file.read(bytes, 0, range.length, range.offset);
    if (bytesRead !== range.length) throw new JournalDamaged(`segment ${segment} ends too early`);
    return bytes;
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
