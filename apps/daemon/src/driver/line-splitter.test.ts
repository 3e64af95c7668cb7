/** Lines out of bytes, wherever the chunks are cut, within bounds. */
import { describe, expect, it } from 'vitest';
import type { CutLine } from './line-splitter.ts';
import { lineSplitter } from './line-splitter.ts';

function splitting(maxBytes: number) {
  const lines: string[] = [];
  const cuts: CutLine[] = [];
  const splitter = lineSplitter({
    maxBytes,
    onLine: (line) => lines.push(line),
    onCut: (cut) => cuts.push(cut),
  });
  return { splitter, lines, cuts };
}

describe('lineSplitter', () => {
  it('gives the same lines wherever the chunks are cut', () => {
    const text = 'one\n\ntwo with ü and 🙂\r\nthree\nlast';
    const bytes = Buffer.from(text);
    for (let size = 1; size <= bytes.length; size += 1) {
      const { splitter, lines } = splitting(1000);
      for (let at = 0; at < bytes.length; at += size) splitter.write(bytes.subarray(at, at + size));
      splitter.end();
      expect(lines).toEqual(['one', 'two with ü and 🙂', 'three', 'last']);
    }
  });

  it('keeps only the head of a line that is too long, tells its length, and goes on', () => {
    const { splitter, lines, cuts } = splitting(64 * 1024);
    splitter.write(Buffer.from('before\n'));
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const heapBefore = process.memoryUsage().arrayBuffers;
    for (let n = 0; n < 160; n += 1) splitter.write(chunk);
    expect(process.memoryUsage().arrayBuffers - heapBefore).toBeLessThan(1024 * 1024);
    splitter.write(Buffer.from('\nafter\n'));
    expect(lines).toEqual(['before', 'after']);
    expect(cuts).toEqual([{ head: 'x'.repeat(4096), bytes: 160 * 64 * 1024 }]);
  });

  it('takes a line of just the cap whole, and one byte more not', () => {
    const { splitter, lines, cuts } = splitting(8);
    splitter.write(Buffer.from('12345678\n123456789\n'));
    expect(lines).toEqual(['12345678']);
    expect(cuts).toEqual([{ head: '123456789', bytes: 9 }]);
  });

  it('tells of a cut that the end of the stream ends', () => {
    const { splitter, cuts } = splitting(2);
    splitter.write(Buffer.from('abc'));
    splitter.end();
    splitter.end();
    expect(cuts).toEqual([{ head: 'abc', bytes: 3 }]);
  });
});
