/** Directives and orders: what may begin, what is decided once, what an order becomes. */
import { describe, expect, it } from 'vitest';
import {
  checkArchive,
  checkDirectiveOpen,
  checkOrderType,
  contractPriorityOf,
  orderGoal,
  orderPriorities,
  orderStatuses,
  orderTransitions,
} from './directive.ts';

describe('an order', () => {
  it('is a spike or a chore and nothing else', () => {
    expect(checkOrderType('spike')).toEqual({ ok: true, type: 'spike' });
    expect(checkOrderType('chore')).toEqual({ ok: true, type: 'chore' });
    for (const type of ['feature', 'Spike', '', 'bug']) {
      expect(checkOrderType(type)).toEqual({
        ok: false,
        reason: 'An order is a spike or a chore.',
      });
    }
  });

  it('is decided once', () => {
    expect(orderTransitions.open).toEqual(['accepted', 'dismissed']);
    for (const status of orderStatuses) {
      if (status !== 'open') expect(orderTransitions[status]).toEqual([]);
    }
  });

  it('is more urgent as a contract, the more urgent it is', () => {
    const ranks = orderPriorities.map((priority) => contractPriorityOf[priority]);
    expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
    expect(new Set(ranks).size).toBe(ranks.length);
    expect(contractPriorityOf.medium).toBe(0);
  });

  it('becomes a goal that says what it is, for which directive, with its labels', () => {
    const chore = orderGoal(
      { title: 'Raise zod', description: 'To 4.2.', orderType: 'chore', labels: ['deps', 'api'] },
      { title: 'Keep dependencies fresh' },
    );
    expect(chore).toBe(
      [
        'Raise zod',
        '',
        'To 4.2.',
        '',
        'This is a chore: make this change and no other.',
        'It was ordered for the directive "Keep dependencies fresh". Labels: deps, api.',
      ].join('\n'),
    );
    const spike = orderGoal(
      { title: 'Why is it slow?', description: null, orderType: 'spike', labels: [] },
      { title: 'Speed' },
    );
    expect(spike.split('\n')).toEqual([
      'Why is it slow?',
      '',
      expect.stringContaining('This is a spike'),
      'It was ordered for the directive "Speed".',
    ]);
  });
});

describe('a directive', () => {
  it('takes work while it is active', () => {
    expect(checkDirectiveOpen({ status: 'active' }).ok).toBe(true);
    expect(checkDirectiveOpen({ status: 'archived' })).toEqual({
      ok: false,
      reason: 'The directive is archived.',
    });
  });

  it('is archived when none of its agents is left', () => {
    expect(checkArchive({ unfinishedTasks: 0 }).ok).toBe(true);
    expect(checkArchive({ unfinishedTasks: 2 })).toEqual({
      ok: false,
      reason: '2 of its tasks are not over.',
    });
  });
});
