/** Text is looked over before it is parsed: what it is not, and where. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkJsonText } from './json-text.ts';

const limits = { maxDepth: 4, maxItems: 3 };

describe('JSON text', () => {
  it.each([
    '{}',
    ' [ ] ',
    '"[[[[[["',
    '{"a":{"b":{"c":[1]}}}',
    '{"a":"{\\"a\\":1}","b":1}',
    '[1,2.5,-0e+3]',
    'null',
    'true',
    '\t"\\u00e4\\n"\r\n',
    '0',
  ])('is JSON: %j', (text) => {
    expect(checkJsonText(text, limits)).toBeUndefined();
    JSON.parse(text);
  });

  it.each([
    ['', 'it ends too early'],
    ['{"a":', 'it ends too early'],
    ['[1', 'it ends too early'],
    ['x', 'line 1, column 1'],
    ['{\n  "a": x\n}', 'line 2, column 8'],
    ["{'a':1}", 'line 1, column 2'],
    ['{"a":1,}', 'line 1, column 8'],
    ['[1,]', 'line 1, column 4'],
    ['[1 2]', 'line 1, column 4'],
    ['{"a" 1}', 'line 1, column 6'],
    ['{1:2}', 'line 1, column 2'],
    ['[1}', 'line 1, column 3'],
    ['{} {}', 'line 1, column 4'],
    ['[01]', 'line 1, column 2'],
    ['[1.]', 'line 1, column 2'],
    ['[+1]', 'line 1, column 2'],
    ['[.5]', 'line 1, column 2'],
    ['[NaN]', 'line 1, column 2'],
    ['[nulls]', 'line 1, column 6'],
    ['["\\x"]', 'line 1, column 2'],
    ['["\\u12"]', 'line 1, column 2'],
    ['["a\nb"]', 'line 1, column 2'],
    ['["a', 'line 1, column 2'],
    ['\ufeff{}', 'line 1, column 1'],
    ['[1]\u00a0', 'line 1, column 4'],
    [':', 'line 1, column 1'],
  ])('is not JSON: %j', (text, where) => {
    expect(checkJsonText(text, limits)).toBe(`is not JSON: ${where}`);
    expect(() => JSON.parse(text) as unknown).toThrow();
  });

  it('is refused when nested too deep, however deep', () => {
    expect(checkJsonText('[[[[[1]]]]]', limits)).toMatch(/deeper than 4/);
    expect(checkJsonText('['.repeat(1_000_000), limits)).toMatch(/deeper/);
    expect(checkJsonText('{"a":'.repeat(100_000), limits)).toMatch(/deeper/);
  });

  it('is refused when a key comes twice, also in another spelling', () => {
    expect(checkJsonText('{"a":1,"a":2}', limits)).toMatch(/twice/);
    expect(checkJsonText('{"a":1,"\\u0061":2}', limits)).toMatch(/twice/);
    expect(checkJsonText('[{"a":1},{"a":2}]', limits)).toBeUndefined();
  });

  it('is refused when a list is too long', () => {
    expect(checkJsonText('[1,2,3,4]', limits)).toMatch(/more than 3/);
  });
});

it('agrees with the platform about what JSON is', () => {
  const wide = { maxDepth: 1_000, maxItems: 1_000 };
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string(), mangled()), (text) => {
      const fault = checkJsonText(text, wide);
      if (fault === undefined) JSON.parse(text);
      else if (fault.startsWith('is not JSON')) expect(() => JSON.parse(text) as unknown).toThrow();
    }),
    { numRuns: 500 },
  );
});

/** JSON with one character too many. */
function mangled(): fc.Arbitrary<string> {
  const chars = ['{', '}', '[', ']', ',', ':', '"', '\\', '0', '-', 'e', 'n', ' ', '.'];
  return fc.tuple(fc.json(), fc.nat(), fc.constantFrom(...chars)).map(([text, at, char]) => {
    const cut = at % (text.length + 1);
    return text.slice(0, cut) + char + text.slice(cut);
  });
}
