/** Answers, their wording, and how long an asker is held. */
import { describe, expect, it } from 'vitest';
import {
  answerText,
  checkAnswer,
  isConfirming,
  questionAfterHold,
  questionHoldMs,
  questionStatuses,
  questionTransitions,
} from './question.ts';

const one = { question: 'Which?', choices: ['Google', 'GitHub'], multiSelect: false };
const many = { ...one, multiSelect: true };

describe('answers', () => {
  it('that name a choice count as it, whatever the case', () => {
    expect(checkAnswer(one, ' google ')).toEqual({
      ok: true,
      value: 'Google',
      selected: ['Google'],
    });
    expect(checkAnswer(one, ['GitHub'])).toEqual({
      ok: true,
      value: 'GitHub',
      selected: ['GitHub'],
    });
    const close = { ...one, choices: ['a', 'A'] };
    expect(checkAnswer(close, 'A')).toMatchObject({ value: 'A' });
  });

  it('may be free text, even beside choices', () => {
    expect(checkAnswer(one, 'neither, use SAML')).toEqual({
      ok: true,
      value: 'neither, use SAML',
      selected: [],
    });
    expect(checkAnswer({ ...one, choices: [] }, 'anything')).toMatchObject({ ok: true });
  });

  it('of several choices are joined by a comma, each once', () => {
    expect(checkAnswer(many, ['github', 'GitHub', 'Google'])).toEqual({
      ok: true,
      value: 'GitHub, Google',
      selected: ['GitHub', 'Google'],
    });
    expect(checkAnswer(many, ['Google', 'and my own'])).toMatchObject({
      value: 'Google, and my own',
      selected: ['Google'],
    });
  });

  it('already joined count as a selection only when every part is offered', () => {
    expect(checkAnswer(many, 'Google,github')).toMatchObject({ selected: ['Google', 'GitHub'] });
    expect(checkAnswer(many, 'Google, Gitlab')).toMatchObject({
      value: 'Google, Gitlab',
      selected: [],
    });
    const withComma = { ...many, choices: ['a, b', 'a', 'b'] };
    expect(checkAnswer(withComma, 'a, b')).toMatchObject({ selected: ['a, b'] });
  });

  it('are refused when empty or too many', () => {
    expect(checkAnswer(one, '  ')).toMatchObject({ ok: false, reason: 'The answer is empty.' });
    expect(checkAnswer(many, [])).toMatchObject({ ok: false, reason: 'The answer is empty.' });
    expect(checkAnswer(many, ['Google', ''])).toMatchObject({ ok: false });
    expect(checkAnswer(one, ['Google', 'GitHub'])).toMatchObject({
      ok: false,
      reason: 'This question takes one answer, not several.',
    });
  });

  it('read as the seed has it', () => {
    expect(answerText('Which?', 'Google')).toBe(
      '[User Response to Question]\nQuestion: Which?\nAnswer: Google\n',
    );
  });
});

describe('confirmations', () => {
  it('need a plain yes', () => {
    for (const yes of ['yes', ' Confirm ', 'APPROVED.', 'ok!', 'y'])
      expect(isConfirming(yes)).toBe(true);
    for (const not of ['', 'no', 'yes, but fix the tests first', 'confirm later']) {
      expect(isConfirming(not)).toBe(false);
    }
  });
});

describe('holding the asker', () => {
  const ask = { nonBlocking: false, phaseguard: false, timeoutSeconds: 3600 };

  it('lasts as long as it asked for', () => {
    expect(questionHoldMs(ask)).toBe(3_600_000);
    expect(questionHoldMs({ ...ask, timeoutSeconds: 0 })).toBe(1000);
    expect(questionAfterHold(ask)).toBe('timed_out');
  });

  it('is not held when it does not wait', () => {
    const nonBlocking = { ...ask, nonBlocking: true, phaseguard: true };
    expect(questionHoldMs(nonBlocking)).toBe(0);
    expect(questionAfterHold(nonBlocking)).toBe('asked');
  });

  it('comes back every five minutes when it waits for ever', () => {
    for (const change of [
      { phaseguard: true },
      { reconcileMode: 'manual' },
      { reconcileMode: 'semi-auto' },
    ] as const) {
      expect(questionHoldMs({ ...ask, ...change })).toBe(300_000);
      expect(questionAfterHold({ ...ask, ...change })).toBe('still_pending');
    }
  });

  it('is half a minute for a directive in auto', () => {
    expect(questionHoldMs({ ...ask, reconcileMode: 'auto' })).toBe(30_000);
    expect(questionHoldMs({ ...ask, reconcileMode: 'auto' }, 5)).toBe(5);
    expect(questionHoldMs(ask, 5)).toBe(3_600_000);
    expect(questionAfterHold({ ...ask, reconcileMode: 'auto' })).toBe('timed_out');
  });
});

describe('life', () => {
  it('has one way out of open and none back', () => {
    expect(questionTransitions.open).toEqual(['answered', 'cancelled']);
    for (const status of questionStatuses) {
      if (status !== 'open') expect(questionTransitions[status]).toEqual([]);
    }
  });
});
