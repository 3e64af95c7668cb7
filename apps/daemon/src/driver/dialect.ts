/**
 * What differs between the agents: how a line of theirs becomes events, and how our wishes become lines.
 * Everything else (process, queue, watchdog, ending) is the same and stands in `session.ts`.
 *
 * Law: a dialect gets lines and gives lines and events; what it must read or write beside them (a conversation's
 * file) stands in a file of its own.
 */
import type { AgentMessage, PermissionAnswer, QuestionAnswer } from './driver.ts';
import type { AgentEventBody } from './events.ts';
import type { CutLine } from './line-splitter.ts';

/** What a dialect may do to its session. */
export interface DialectLink {
  emit(body: AgentEventBody): void;
  writeLine(line: string): void;
  /** The agent is ready for messages: the start is over. */
  ready(): void;
  /** The start has failed, or (later) the process is of no more use. */
  fail(error: Error): void;
}

export interface Dialect {
  /** The process stands: say what it needs to become ready. */
  begin(): void;
  read(line: string): void;
  /** A line longer than the cap; the session has told of it, the dialect may mend what it lost. */
  cut(cut: CutLine): void;
  /** The lines that follow readiness: the prompt, if any, and whatever sets the agent going. */
  opening(prompt: AgentMessage | undefined): readonly string[];
  /** The line that says it; null when the dialect has said it, or will when its time comes. */
  message(message: AgentMessage, when: 'now' | 'next' | 'later'): string | null;
  /** The line that breaks the running turn off; null when the dialect has said it. */
  interrupt(): string | null;
  /** The line that answers, true when the dialect has said it, null for an id that waits for nothing. */
  answer(requestId: string, answer: QuestionAnswer | PermissionAnswer): string | true | null;
  /** The process is gone: tell what is left to tell (not the exit itself). */
  ended(): void;
}
