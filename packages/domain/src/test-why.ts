/** Facts that the tests of `why` begin with: a task at work, one that waits for its place. */
import { expect } from 'vitest';
import { type WhyTaskFacts, whyTask } from './why-task.ts';

export const now = new Date('2030-01-01T12:00:00Z');
export const ago = (ms: number) => new Date(now.getTime() - ms);
export const soon = new Date(now.getTime() + 60_000);
export const question = { id: 'q1', question: 'Which?', askedAt: ago(500) };

export const task: WhyTaskFacts = {
  id: 't1',
  name: 'build',
  contractId: 'c1',
  contractStatus: 'active',
  status: 'running',
  statusSince: ago(1000),
  session: 'live',
  errorMessage: null,
  needs: { kind: 'met' },
  unplaced: null,
  resumeAt: null,
  lease: { expiresAt: soon },
  daemon: { name: 'laptop', connected: true, lastSeenAt: ago(10) },
  openQuestions: [],
  wait: null,
  idle: null,
  blocked: null,
  budget: null,
};

export const pending = {
  ...task,
  status: 'pending',
  session: 'none',
  lease: null,
  daemon: null,
} as const;

export function told(facts: WhyTaskFacts) {
  const why = whyTask(facts, now);
  for (const item of why.blockers) expect(item.taskId).toBe(facts.id);
  return { moving: why.moving, kinds: why.blockers.map(({ kind }) => kind), summary: why.summary };
}
