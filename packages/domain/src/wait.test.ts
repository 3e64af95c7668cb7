/** Waits of every kind. */
import { describe, expect, it } from 'vitest';
import type { QuestionStatus } from './question.ts';
import type { TaskStatus } from './task.ts';
import { type Wait, type WaitFacts, waitKinds, waitSatisfied } from './wait.ts';

const now = new Date('2030-01-01T00:00:00Z');
const at = (ms: number) => new Date(now.getTime() + ms);

const facts: WaitFacts = {
  tasks: new Map<string, TaskStatus>([
    ['open', 'running'],
    ['done', 'done'],
    ['failed', 'failed'],
    ['interrupted', 'interrupted'],
  ]),
  questions: new Map<string, QuestionStatus>([
    ['open', 'open'],
    ['answered', 'answered'],
    ['cancelled', 'cancelled'],
  ]),
  events: [
    { name: 'phase.changed', seq: 3 },
    { name: 'task.done', seq: 9 },
  ],
};

const verdict = (wait: Wait) => waitSatisfied(wait, facts, now);
const waiting = { kind: 'waiting' };
const satisfied = (...by: string[]) => ({ kind: 'satisfied', by });

it('covers every kind', () => {
  expect(waitKinds).toEqual(['tasks_any', 'tasks_all', 'question', 'time', 'event']);
});

describe('for any task', () => {
  const any = (...taskIds: string[]) => verdict({ kind: 'tasks_any', taskIds, deadline: null });

  it('ends with the first that ended, well or not', () => {
    expect(any('open')).toEqual(waiting);
    expect(any('open', 'interrupted')).toEqual(waiting);
    expect(any('open', 'failed', 'done')).toEqual(satisfied('failed', 'done'));
  });

  it('ends at once for none and for one that does not exist', () => {
    expect(any()).toEqual(satisfied());
    expect(any('open', 'unknown')).toEqual(satisfied('unknown'));
  });
});

describe('for all tasks', () => {
  const all = (...taskIds: string[]) => verdict({ kind: 'tasks_all', taskIds, deadline: null });

  it('ends with the last', () => {
    expect(all('open', 'done')).toEqual(waiting);
    expect(all('failed', 'done', 'unknown')).toEqual(satisfied('failed', 'done', 'unknown'));
    expect(all()).toEqual(satisfied());
  });
});

describe('for a question', () => {
  it('ends when it is no longer open', () => {
    const question = (questionId: string) =>
      verdict({ kind: 'question', questionId, deadline: null });
    expect(question('open')).toEqual(waiting);
    for (const id of ['answered', 'cancelled', 'unknown'])
      expect(question(id)).toEqual(satisfied(id));
  });
});

describe('for a time', () => {
  it('ends when it has come', () => {
    expect(verdict({ kind: 'time', at: at(1), deadline: null })).toEqual(waiting);
    expect(verdict({ kind: 'time', at: now, deadline: null })).toEqual(satisfied());
  });
});

describe('for an event', () => {
  it('ends with one that is later than where it began', () => {
    const event = (name: string, afterSeq: number) =>
      verdict({ kind: 'event', name, afterSeq, deadline: null });
    expect(event('task.done', 8)).toEqual(satisfied('task.done'));
    expect(event('task.done', 9)).toEqual(waiting);
    expect(event('task.failed', 0)).toEqual(waiting);
  });
});

describe('deadlines', () => {
  const open = { kind: 'question', questionId: 'open' } as const;
  const answered = { kind: 'question', questionId: 'answered' } as const;

  it('end a wait that is not satisfied, and only that', () => {
    expect(verdict({ ...open, deadline: at(1) })).toEqual(waiting);
    expect(verdict({ ...open, deadline: now })).toEqual({ kind: 'timed_out' });
    expect(verdict({ ...answered, deadline: at(-1) })).toEqual(satisfied('answered'));
  });
});
