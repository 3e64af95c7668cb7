/** Answers, their wording, and how long an asker is held. */
import { describe, expect, it } from 'vitest';
import {
  agentAskKey,
  requestIdOf,
  answerText,
  checkAnswer,
  checkDefault,
  holdsCompletion,
  isConfirming,
  isDefaultDue,
  permissionVerdict,
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

describe('permissions', () => {
  it('are given by a plain yes', () => {
    for (const yes of ['Allow', 'yes', ' OK. ', 'approve', 'permit'])
      expect(permissionVerdict(yes)).toEqual({ allow: true });
  });

  it('are refused by anything else, in the words of the person', () => {
    const words = (answer: string) => {
      const verdict = permissionVerdict(answer);
      return verdict.allow ? null : verdict.words;
    };
    expect(words('Deny')).toBe('A person denied it.');
    expect(words('no')).toBe('A person denied it.');
    expect(words('Deny: use the test database')).toBe('use the test database');
    expect(words('no, not on a Friday')).toBe('not on a Friday');
    expect(words('yes, but only in /tmp')).toBe('yes, but only in /tmp');
    expect(words('ok rm it')).toBe('ok rm it');
    expect(words('nothing of the kind')).toBe('nothing of the kind');
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

describe('a default', () => {
  const ask = { ...one, type: 'general', phaseguard: false } as const;

  it('is an answer to its question', () => {
    const given = { answer: 'github', afterSeconds: 60 };
    expect(checkDefault(ask, given)).toMatchObject({ ok: true, value: 'GitHub' });
    expect(checkDefault(ask, { ...given, answer: ' ' })).toMatchObject({ ok: false });
    expect(checkDefault(ask, { ...given, answer: ['Google', 'GitHub'] })).toMatchObject({
      ok: false,
    });
  });

  it('is never one of a guard or a confirmation', () => {
    const given = { answer: 'Google', afterSeconds: 60 };
    for (const change of [
      { phaseguard: true },
      { type: 'phase_confirmation' },
      { type: 'contract_complete' },
      { type: 'permission' },
    ] as const)
      expect(checkDefault({ ...ask, ...change }, given)).toEqual({
        ok: false,
        reason: 'A guard or a confirmation waits for a person; it has no default.',
      });
  });
});

describe('life', () => {
  it('has two ways out of open, and one back: an agent that broke off asks again', () => {
    expect(questionStatuses.map((status) => questionTransitions[status])).toEqual([
      ['answered', 'cancelled'],
      [],
      ['open'],
    ]);
  });

  it('answers itself only by a default of its asker, and never a guard', () => {
    const at = new Date('2030-01-01T00:00:00Z');
    const defaultAnswer = { answer: 'Google', at };
    const before = new Date(at.getTime() - 1);
    expect(isDefaultDue({ type: 'general', defaultAnswer }, at)).toBe(true);
    expect(isDefaultDue({ type: 'general', defaultAnswer }, before)).toBe(false);
    expect(isDefaultDue({ type: 'general' }, at)).toBe(false);
    expect(isDefaultDue({ type: 'phase_confirmation', defaultAnswer }, at)).toBe(false);
  });
});

describe('the key of what an agent asks', () => {
  it('gives its request back, and no key of the control plane looks like one', () => {
    expect(requestIdOf(agentAskKey('breaker-1'))).toBe('breaker-1');
    expect(requestIdOf(agentAskKey(''))).toBe('');
    for (const key of ['limit-1', 'breaker-1', null]) expect(requestIdOf(key)).toBeUndefined();
  });
});

describe('what holds the completion of a contract', () => {
  const open = { nonBlocking: false, questionType: 'general', subject: null };
  it.each([
    ['a question that its asker waits for', open, true],
    ['one that nobody waits for', { ...open, nonBlocking: true }, false],
    ['the confirmation itself', { ...open, questionType: 'contract_complete' }, false],
    ['a prompt before a tool', { ...open, questionType: 'permission' }, false],
    ['a budget', { ...open, subject: { kind: 'budget', taskId: null } }, false],
    [
      'a usage limit',
      {
        ...open,
        subject: { kind: 'limit', taskId: 't', attempt: 1, until: '2026-01-01T00:00:00Z' },
      },
      true,
    ],
  ] as const)('%s', (_, question, expected) => {
    expect(holdsCompletion(question)).toBe(expected);
  });
});
