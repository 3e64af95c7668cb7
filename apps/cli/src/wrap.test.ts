/** Text that fits a terminal. */
import { describe, expect, it } from 'vitest';
import { wrap } from './wrap.ts';

describe('wrap', () => {
  it('breaks between words, and moves what follows in', () => {
    expect(wrap('one two three four', 9)).toBe('one two\nthree\nfour');
    expect(wrap('label  one two three', 11, 7)).toBe('label  one\n       two\n       three');
  });

  it('leaves what fits as it is, spaces at its beginning included', () => {
    expect(wrap('  1  a dash', 11)).toBe('  1  a dash');
    expect(wrap('', 10)).toBe('');
    expect(wrap('a b', Number.POSITIVE_INFINITY)).toBe('a b');
  });

  it('never breaks a word', () => {
    expect(wrap('see /a/very/long/path now', 10, 2)).toBe('see\n  /a/very/long/path\n  now');
  });

  it('counts what is seen: no colours, and characters rather than units', () => {
    const red = '\u001b[31mred\u001b[39m';
    expect(wrap(`${red} ${red}`, 7)).toBe(`${red} ${red}`);
    expect(wrap(`${red} ${red}`, 6)).toBe(`${red}\n${red}`);
    expect(wrap('🙂🙂 🙂🙂', 5)).toBe('🙂🙂 🙂🙂');
  });
});
