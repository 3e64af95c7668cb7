/** Text of agents is made harmless before it reaches a terminal. */
import { describe, expect, it } from 'vitest';
import { headline, oneLine, plain, safeJson } from './plain.ts';

const hostile = [
  ['\u001b[31mred\u001b[0m', 'red'],
  ['\u001b]0;title\u0007after', 'after'],
  ['\u001b]8;;javascript:alert(1)\u001b\\link\u001b]8;;\u001b\\', 'link'],
  ['\u001b]52;c;aGFjaw==\u0007x', 'x'],
  ['\u001bPq#0;2\u001b\\sixel', 'sixel'],
  ['\u009b2J\u009d0;t\u009cgone', 'gone'],
  ['\u001b(0lqk\u001b(B', 'lqk'],
  ['a\u0008\u0008b\u0000\u007f', 'ab'],
  ['safe\u202egnp.exe\u2066', 'safegnp.exe'],
  ['unfinished \u001b]0;rest', 'unfinished 0;rest'],
  ['\u001b', ''],
  ['one\r\ntwo\rthree\n\tfour', 'one\ntwo\nthree\n\tfour'],
  ['grüße 漢字 🎉', 'grüße 漢字 🎉'],
] as const;

describe('plain', () => {
  it.each(hostile)('makes %j harmless', (text, harmless) => {
    expect(plain(text)).toBe(harmless);
  });

  it('takes no longer for a text that is made to be slow', () => {
    const started = performance.now();
    plain('\u001b]'.repeat(200_000));
    plain(`\u001b[${';'.repeat(500_000)}`);
    plain('\u001b\u001b'.repeat(200_000));
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('lines', () => {
  it('come as one, or as the first, cut to length', () => {
    expect(oneLine(' a \n\n b\tc ')).toBe('a b c');
    expect(headline('\n\n  first line\nsecond', 40)).toBe('first line');
    expect(headline('0123456789', 5)).toBe('0123…');
    expect(headline('🎉🎉🎉🎉', 3, '...')).toBe('...');
  });
});

describe('safeJson', () => {
  it('is the same value without a raw control character', () => {
    const value = { text: '\u001b[31m \u009b2J \u202e \u2028 "ü"' };
    const text = safeJson(value);
    expect(JSON.parse(text)).toEqual(value);
    expect(text).toMatch(/^[\x20-\x7eü]*$/);
  });
});
