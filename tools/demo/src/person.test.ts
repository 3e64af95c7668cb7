// What a person may type at the demo's prompt.
import { describe, expect, it } from 'vitest';
import { readAnswer } from './person.ts';

const question = { choices: ['Approve', 'Send back'], questionType: 'phase_confirmation' } as const;

describe('readAnswer', () => {
  it.each([
    ['1', 'Approve'],
    [' 2 ', 'Send back'],
    ['approve', 'approve'],
    ['not before the tests are there', 'not before the tests are there'],
  ])('takes %j', (line, answer) => {
    expect(readAnswer(question, line)).toEqual({ ok: true, answer });
  });

  it.each(['', '   ', '0', '3', '99999999999999999999'])(
    'asks again after %j, and says why',
    (line) => {
      const read = readAnswer(question, line);
      expect(read).toMatchObject({ ok: false, why: expect.stringContaining('type 1 or 2') });
    },
  );

  it('takes a number as words where nothing is offered', () => {
    const open = { ...question, choices: [] };
    expect(readAnswer(open, '42')).toEqual({ ok: true, answer: '42' });
    expect(readAnswer(open, '')).toEqual({ ok: false, why: 'type some words' });
  });
});
