// What a person may type at the demo's prompt.
import { describe, expect, it } from 'vitest';
import { readAnswer } from './person.ts';

const choices = ['Approve', 'Send back'];

describe('readAnswer', () => {
  it.each([
    ['1', 'Approve'],
    [' 2 ', 'Send back'],
    ['approve', 'approve'],
    ['not before the tests are there', 'not before the tests are there'],
  ])('takes %j', (line, answer) => {
    expect(readAnswer(choices, line)).toEqual({ ok: true, answer });
  });

  it.each(['', '   ', '0', '3', '99999999999999999999'])(
    'asks again after %j, and says why',
    (line) => {
      const read = readAnswer(choices, line);
      expect(read).toMatchObject({ ok: false, why: expect.stringContaining('type 1 or 2') });
    },
  );

  it('takes a number as words where nothing is offered', () => {
    expect(readAnswer([], '42')).toEqual({ ok: true, answer: '42' });
    expect(readAnswer([], '')).toEqual({ ok: false, why: 'type some words' });
  });
});
