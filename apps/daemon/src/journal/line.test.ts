/** Lines of the journal carry their checksum. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bodyOffset,
  decodeLine,
  encodeLine,
  lineKinds,
  scanLines,
  type JournalLine,
} from './line.ts';

const anyLine = fc.record({
  kind: fc.constantFrom(...lineKinds),
  seq: fc.nat(),
  body: fc.anything().map((value) => JSON.stringify(value) ?? 'null'),
}) as fc.Arbitrary<JournalLine>;

describe('a journal line', () => {
  it('comes back as it was, with its body where it is said to be', () => {
    fc.assert(
      fc.property(anyLine, (line) => {
        const bytes = encodeLine(line);
        expect(decodeLine(bytes.subarray(0, -1))).toEqual(line);
        expect(bytes.subarray(bodyOffset(line), -1).toString()).toBe(line.body);
      }),
    );
  });

  it('is whole or nothing, wherever its bytes end', () => {
    fc.assert(
      fc.property(fc.array(anyLine, { minLength: 1, maxLength: 5 }), fc.nat(), (lines, at) => {
        const bytes = Buffer.concat(lines.map(encodeLine));
        const cut = at % (bytes.length + 1);
        const { lines: found, goodBytes } = scanLines(bytes.subarray(0, cut));
        expect(found.map(({ line }) => line)).toEqual(lines.slice(0, found.length));
        expect(goodBytes).toBeLessThanOrEqual(cut);
        const next = lines[found.length];
        if (next !== undefined) expect(goodBytes + encodeLine(next).length).toBeGreaterThan(cut);
      }),
    );
  });

  it('is refused when a byte of it is another', () => {
    fc.assert(
      fc.property(anyLine, fc.nat(), fc.integer({ min: 1, max: 255 }), (line, at, flip) => {
        const bytes = encodeLine(line).subarray(0, -1);
        const index = at % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ flip;
        const found = decodeLine(bytes);
        // Invalid UTF-8 decodes to replacement characters, which the checksum does not forgive either.
        if (found !== null) expect(found).toEqual(line);
      }),
    );
  });
});
