/** Variables, conditions and typed arguments of scripts. */
import { describe, expect, it } from 'vitest';
import { fillIn, holds, listOf, numberOf, textOf, textsOf } from './values.ts';

const variables = { a: { b: [10, { c: 'deep' }] }, n: 3, empty: '', no: false, text: 'word' };

describe('variables', () => {
  it('are filled in everywhere, with their type where they stand alone', () => {
    expect(fillIn({ x: '${n}', y: ['is ${n}', '${a.b.1}'] }, variables)).toEqual({
      x: 3,
      y: ['is 3', { c: 'deep' }],
    });
    expect(fillIn('${a.b.1.c} ${ n } ${a}', variables)).toBe('deep 3 {"b":[10,{"c":"deep"}]}');
    expect(fillIn(7, variables)).toBe(7);
    expect(fillIn('costs $${n} and $5', variables)).toBe('costs ${n} and $5');
  });

  it('must be there, and are not what every object has', () => {
    expect(() => fillIn('${a.c}', variables)).toThrow(
      'no value for ${a.c}. Variables: a, n, empty',
    );
    expect(() => fillIn('say ${constructor}', variables)).toThrow('no value');
    expect(() => fillIn('${text.length}', variables)).toThrow('no value');
  });
});

describe('conditions', () => {
  it.each([
    [{ equals: ['a', 'a'] }, true],
    [{ equals: [3, '3'] }, true],
    [{ equals: ['a', 'b'] }, false],
    [{ not_equals: ['a', 'b'] }, true],
    [{ exists: 'a.b.0' }, true],
    [{ exists: 'a.b.7' }, false],
    [{ value: 'x' }, true],
    [{ value: '' }, false],
    [{ value: 'false' }, false],
    [{ value: false }, false],
    [{ value: 0 }, false],
    [{}, false],
  ])('%j is %s', (args, expected) => {
    expect(holds(args, variables)).toBe(expected);
  });
});

describe('arguments', () => {
  it('are read with their type', () => {
    expect(textOf({ x: 3 }, 'x')).toBe('3');
    expect(() => textOf({ x: {} }, 'x')).toThrow('"x" must be text');
    expect(numberOf({ x: '5' }, 'x')).toBe(5);
    expect(numberOf({}, 'x', 7)).toBe(7);
    expect(() => numberOf({ x: -1 }, 'x')).toThrow('"x" must be a number');
    expect(() => numberOf({ x: 'many' }, 'x')).toThrow();
    expect(listOf({ x: 'one' }, 'x')).toEqual(['one']);
    expect(textsOf({ x: ['a', 1] }, 'x')).toEqual(['a', '1']);
  });
});
