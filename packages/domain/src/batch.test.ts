/** Which contracts an operation on many is about. */
import { describe, expect, it } from 'vitest';
import { batchOperations, batchRules, batchSelection } from './batch.ts';
import { contractStatuses, contractTransitions } from './contract.ts';

describe.each(batchOperations)('%s', (operation) => {
  const rule = batchRules[operation];

  it('is about its own statuses and age when nothing is said', () => {
    expect(batchSelection(operation, {})).toEqual({
      ok: true,
      selection: {
        statuses: rule.statuses,
        olderThanHours: rule.olderThanHours ?? 0,
        only: rule.only,
        hurries: operation === 'pause_all',
      },
    });
  });

  it('hurries nobody by a filter, or when turns may be ended', () => {
    for (const wish of [{ statusFilter: rule.statuses }, { finishTurnSeconds: 5 }])
      expect(batchSelection(operation, wish)).toMatchObject({ selection: { hurries: false } });
  });

  it('is narrowed by a filter, never widened', () => {
    for (const status of contractStatuses) {
      const verdict = batchSelection(operation, { statusFilter: [status], olderThanHours: 1 });
      expect(verdict.ok, status).toBe(rule.statuses.includes(status));
      if (verdict.ok)
        expect(verdict.selection).toMatchObject({ statuses: [status], olderThanHours: 1 });
      else expect(verdict.reason).toContain(`not ${status}`);
    }
  });
});

it('moves contracts only as the table allows', () => {
  const goal = { archive_old: 'archived', pause_all: 'paused', resume_all: 'active' } as const;
  for (const [operation, to] of Object.entries(goal))
    for (const from of batchRules[operation as keyof typeof goal].statuses)
      expect(contractTransitions[from]).toContain(to);
});
