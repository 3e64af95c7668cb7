/**
 * One line of the journal: checksum, kind, number, JSON. A line is whole or it is nothing: a process that
 * dies in the middle of a write leaves a torn end which the checksum shows.
 *
 * Law: `decodeLine(encodeLine(x))` is x; any other bytes decode to null, never to something else.
 */
import { crc32 } from 'node:zlib';

/** What a line tells. `head` opens each segment with the state that all lines before it add up to. */
export const lineKinds = [
  'head',
  'report',
  'command',
  'applied',
  'intent',
  'running',
  'acked',
] as const;
export type LineKind = (typeof lineKinds)[number];

export interface JournalLine {
  readonly kind: LineKind;
  /** Number of the report or command; 0 where the kind has none. */
  readonly seq: number;
  /** JSON text on one line. */
  readonly body: string;
}

const pattern = /^([0-9a-f]{8}) ([a-z]+) (\d{1,15}) (.*)$/s;

/** The line as bytes, newline included. The body must hold no newline, which JSON text never does. */
export function encodeLine(line: JournalLine): Buffer {
  const rest = `${line.kind} ${line.seq} ${line.body}`;
  return Buffer.from(`${checksum(rest)} ${rest}\n`);
}

/** The line in these bytes (without the newline), or null when they are not one. */
export function decodeLine(bytes: Buffer): JournalLine | null {
  const found = pattern.exec(bytes.toString('utf8'));
  if (found === null) return null;
  const [, sum = '', kind = '', seq = '', body = ''] = found;
  if (!isLineKind(kind) || checksum(`${kind} ${seq} ${body}`) !== sum) return null;
  return { kind, seq: Number(seq), body };
}

/** Where the body starts in an encoded line, in bytes: what stands before it is plain ASCII. */
export function bodyOffset(line: JournalLine): number {
  return 8 + 1 + line.kind.length + 1 + String(line.seq).length + 1;
}

export interface ScannedLine {
  readonly line: JournalLine;
  /** Position of the line's first byte in the buffer. */
  readonly offset: number;
  /** Bytes of the line, newline included. */
  readonly length: number;
}

/**
 * The whole lines at the start of `bytes`, and how many bytes they take. What comes after `goodBytes` is
 * torn or damaged.
 */
export function scanLines(bytes: Buffer): { lines: ScannedLine[]; goodBytes: number } {
  const lines: ScannedLine[] = [];
  let offset = 0;
  for (;;) {
    const end = bytes.indexOf(0x0a, offset);
    if (end < 0) return { lines, goodBytes: offset };
    const line = decodeLine(bytes.subarray(offset, end));
    if (line === null) return { lines, goodBytes: offset };
    lines.push({ line, offset, length: end + 1 - offset });
    offset = end + 1;
  }
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

function isLineKind(kind: string): kind is LineKind {
  return (lineKinds as readonly string[]).includes(kind);
}
