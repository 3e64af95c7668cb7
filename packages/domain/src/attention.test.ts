/** Attention of contracts and tasks in every status, and the order of the inbox. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type InboxItem, attentionOf, inboxKinds, inboxRank } from './attention.ts';
import { contractStatuses } from './contract.ts';
import { taskStatuses } from './task.ts';

const contract = {
  kind: 'contract',
  status: 'active',
  openQuestions: 0,
  openConfirmations: 0,
  standsStill: false,
  isStale: false,
  isLimited: false,
  isWorking: true,
} as const;

const task = { kind: 'task', status: 'running', session: 'live', openQuestions: 0 } as const;

describe('a contract', () => {
  it('asks for attention by its status', () => {
    const seen = contractStatuses.map((status) => attentionOf({ ...contract, status }));
    expect(Object.fromEntries(contractStatuses.map((status, at) => [status, seen[at]]))).toEqual({
      created: 'running',
      active: 'running',
      waiting_for_input: 'needs_you',
      paused: 'paused',
      blocked: 'needs_you',
      completing: 'running',
      completed: 'done',
      failed: 'failed',
      archived: 'archived',
    });
  });

  it('needs you for anything open, before it is stale, limited, working or queued', () => {
    const all = { ...contract, isStale: true, isLimited: true };
    expect(attentionOf({ ...all, openQuestions: 1 })).toBe('needs_you');
    expect(attentionOf({ ...all, openConfirmations: 1, status: 'completing' })).toBe('needs_you');
    expect(attentionOf({ ...all, openQuestions: 1, status: 'paused' })).toBe('needs_you');
    expect(attentionOf({ ...all, standsStill: true })).toBe('needs_you');
    expect(attentionOf({ ...all, standsStill: true, status: 'paused' })).toBe('paused');
    expect(attentionOf(all)).toBe('stale');
    expect(attentionOf({ ...all, isStale: false })).toBe('limited');
    expect(attentionOf({ ...contract, isWorking: false })).toBe('queued');
    expect(attentionOf({ ...contract, isWorking: false, status: 'completing' })).toBe('running');
    expect(attentionOf({ ...all, openQuestions: 1, status: 'completed' })).toBe('done');
  });
});

describe('a task', () => {
  it('asks for attention by its status', () => {
    const seen = taskStatuses.map((status) => attentionOf({ ...task, session: 'none', status }));
    expect(Object.fromEntries(taskStatuses.map((status, at) => [status, seen[at]]))).toEqual({
      pending: 'queued',
      starting: 'running',
      running: 'running',
      done: 'done',
      failed: 'failed',
      interrupted: 'queued',
      paused: 'paused',
      merged: 'done',
      cancelled: 'done',
    });
  });

  it('needs you for a question, is limited by its account, and waits parked at work', () => {
    expect(attentionOf({ ...task, openQuestions: 1 })).toBe('needs_you');
    expect(attentionOf({ ...task, openQuestions: 1, status: 'failed' })).toBe('failed');
    expect(attentionOf({ ...task, session: 'limited' })).toBe('limited');
    expect(attentionOf({ ...task, session: 'parked', status: 'paused' })).toBe('running');
  });
});

describe('the inbox', () => {
  const item = (id: string, kind: InboxItem['kind'], sinceMs: number, blocksWork = true) => ({
    id,
    kind,
    since: new Date(sinceMs),
    blocksWork,
  });

  it('puts first what needs a person and holds up work, then the longest wait', () => {
    const items = [
      item('failure', 'failure', 0),
      item('idle', 'confirmation', 0, false),
      item('prompt', 'permission', 30),
      item('young', 'question', 9),
      item('old', 'question', 5),
      item('stands', 'standstill', 1),
      item('blocked', 'blocked', 1),
      item('guard', 'confirmation', 10),
      item('twin-b', 'question', 20),
      item('twin-a', 'question', 20),
    ];
    expect(inboxRank(items).map(({ id }) => id)).toEqual([
      'guard',
      'prompt',
      'old',
      'young',
      'twin-a',
      'twin-b',
      'blocked',
      'stands',
      'idle',
      'failure',
    ]);
  });

  it('is the same whatever the order of rows', () => {
    const anyItem = fc.record({
      id: fc.string(),
      kind: fc.constantFrom(...inboxKinds),
      since: fc.integer({ min: 0, max: 3 }).map((ms) => new Date(ms)),
      blocksWork: fc.boolean(),
    });
    const rows = fc.uniqueArray(anyItem, { selector: ({ id }) => id });
    fc.assert(
      fc.property(rows, (items) => {
        expect(inboxRank(items.toReversed())).toEqual(inboxRank(items));
      }),
    );
  });
});
