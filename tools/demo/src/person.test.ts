// What a person may type at the demo's prompt.
import { describe, expect, it } from 'vitest';
import { readAnswer } from './person.ts';

const guard = { choices: ['Approve', 'Send back'], questionType: 'phase_confirmation' as const };
const general = { choices: [], questionType: 'general' as const };

describe('readAnswer', () => {
  it.each([
    ['1', 'Approve'],
    [' 2 ', 'Send back'],
    ['yes', 'Approve'],
    ['approve', 'Approve'],
    ['not before the tests are there', 'not before the tests are there'],
  ])('takes %j', (line, answer) => {
    expect(readAnswer(guard, line)).toEqual({ ok: true, answer });
  });

  it.each(['', '   ', '0', '3', '99999999999999999999'])(
    'asks again after %j, and says why',
    (line) => {
      const read = readAnswer(guard, line);
      expect(read).toMatchObject({ ok: false, why: expect.stringContaining('type 1 or 2') });
    },
  );

  it('takes a number, or a yes, as words where nothing is offered', () => {
    expect(readAnswer(general, '42')).toEqual({ ok: true, answer: '42' });
    expect(readAnswer(general, 'yes')).toEqual({ ok: true, answer: 'yes' });
    expect(readAnswer(general, '')).toEqual({ ok: false, why: 'type some words' });
  });
});
