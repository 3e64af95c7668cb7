/** What would poison Postgres or a prototype is found wherever it stands. */
import { describe, expect, it } from 'vitest';
import { cleaned, findBadValues } from './plain-value.ts';

describe('a value', () => {
  it('is refused for NUL, half a pair, prototype keys and numbers beyond JSON', () => {
    const value: unknown = JSON.parse(
      '{"a":["x\\u0000y"],"b":{"__proto__":1},"c":"\\ud800","d":1e999,"constructor":{},"e~/f":"\\u0000"}',
    );
    expect(findBadValues(value).map((fault) => fault.pointer)).toEqual([
      '/a/0',
      '/b/__proto__',
      '/c',
      '/d',
      '/constructor',
      '/e~0~1f',
    ]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('is cleaned of the same when an agent made it', () => {
    const value: unknown = JSON.parse('{"a":["x\\u0000y"],"__proto__":{"p":1},"c":"a\\ud800"}');
    expect(cleaned(value)).toEqual({ a: ['xy'], c: 'a\ufffd' });
    expect(findBadValues(cleaned(value))).toEqual([]);
  });
});
