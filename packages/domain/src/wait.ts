/**
 * Waits: who waits for what, until when. A wait is a row; whoever is woken asks this rule again.
 *
 * Law: satisfied beats timed out. A wait for something that does not exist ends at once, because nothing
 * could ever end it.
 */
import type { QuestionStatus } from './question.ts';
import { type TaskStatus, waitEnds } from './task.ts';

export const waitKinds = ['tasks_any', 'tasks_all', 'question', 'time', 'event'] as const;

export type WaitKind = (typeof waitKinds)[number];

export type Wait = { readonly deadline: Date | null } & (
  | { readonly kind: 'tasks_any' | 'tasks_all'; readonly taskIds: readonly string[] }
  | { readonly kind: 'question'; readonly questionId: string }
  | { readonly kind: 'time'; readonly at: Date }
  /** An event of this name in the contract, later than `afterSeq`. */
  | { readonly kind: 'event'; readonly name: string; readonly afterSeq: number }
);

export interface WaitFacts {
  readonly tasks: ReadonlyMap<string, TaskStatus>;
  readonly questions: ReadonlyMap<string, QuestionStatus>;
  readonly events: readonly { readonly name: string; readonly seq: number }[];
}

export type WaitVerdict =
  | { readonly kind: 'waiting' }
  /** `by`: the tasks, question or event that ended it; empty for a time. */
  | { readonly kind: 'satisfied'; readonly by: readonly string[] }
  | { readonly kind: 'timed_out' };

export function waitSatisfied(wait: Wait, facts: WaitFacts, now: Date): WaitVerdict {
  const by = endedBy(wait, facts, now);
  if (by !== undefined) return { kind: 'satisfied', by };
  const over = wait.deadline !== null && now.getTime() >= wait.deadline.getTime();
  return over ? { kind: 'timed_out' } : { kind: 'waiting' };
}

function endedBy(wait: Wait, facts: WaitFacts, now: Date): readonly string[] | undefined {
  switch (wait.kind) {
    case 'tasks_any': {
      const ended = wait.taskIds.filter((id) => taskEnded(facts, id));
      return ended.length > 0 || wait.taskIds.length === 0 ? ended : undefined;
    }
    case 'tasks_all':
      return wait.taskIds.every((id) => taskEnded(facts, id)) ? wait.taskIds : undefined;
    case 'question':
      return facts.questions.get(wait.questionId) === 'open' ? undefined : [wait.questionId];
    case 'time':
      return now.getTime() >= wait.at.getTime() ? [] : undefined;
    case 'event': {
      const seen = facts.events.find(
        (event) => event.name === wait.name && event.seq > wait.afterSeq,
      );
      return seen === undefined ? undefined : [seen.name];
    }
  }
}

function taskEnded(facts: WaitFacts, taskId: string): boolean {
  const status = facts.tasks.get(taskId);
  return status === undefined || waitEnds(status);
}
