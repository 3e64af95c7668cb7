/**
 * What a supervisor reads when it comes back: the restoration notice, and the digest that wakes it from a
 * wait.
 *
 * Law: one notice per epoch. It says what happened, how often, which questions stand, which tasks are
 * awaited and what became of those spawned (frame by seed 002). Text of others cannot end the frame early.
 */
import type { WakeReason } from './parking.ts';
import type { RestorationStrategy } from './restoration.ts';
import type { TaskStatus } from './task.ts';

export interface NoticeTask {
  readonly id: string;
  readonly name: string;
  readonly status: TaskStatus;
  readonly isAwaited: boolean;
}

export interface NoticeFacts {
  /** What went away, as a sentence: "Its agent was killed." */
  readonly cause: string;
  readonly strategy: Exclude<RestorationStrategy, 'manual'>;
  readonly epoch: number;
  /** This restoration included. */
  readonly restorationCount: number;
  readonly phase: string;
  /** What counts, of whichever phase: the conversation may have lost that it was handed in. */
  readonly deliverables?: readonly { readonly id: string; readonly phase: string }[] | undefined;
  readonly questions: readonly { readonly id: string; readonly question: string }[];
  /** Given to the agent that went away, which may not have come to act on them. */
  readonly answers?: readonly { readonly question: string; readonly answer: string }[] | undefined;
  readonly tasks: readonly NoticeTask[];
  /** The end of the conversation that went before, for a session that does not hold it. */
  readonly conversation?:
    | readonly { readonly role: string; readonly content: string }[]
    | undefined;
  readonly warnings: readonly string[];
  /** What the person who resumed it wants to add. */
  readonly additionalContext?: string | undefined;
}

export const noticeStart = '=== SUPERVISOR RESTORATION NOTICE ===';
export const noticeEnd = '=== END RESTORATION NOTICE ===';
/** How the daemon's own word begins, after it had to start an agent anew. */
export const startedAnew = 'The agent process was started anew.';

export function restorationNotice(facts: NoticeFacts): string {
  const awaited = facts.tasks.filter((task) => task.isAwaited);
  const context = facts.additionalContext?.trim() ?? '';
  return [
    noticeStart,
    `What happened: ${plain(facts.cause)} ${strategyWords[facts.strategy]}`,
    `Restoration count: ${facts.restorationCount} (epoch ${facts.epoch})`,
    `Phase: ${plain(facts.phase)}`,
    ...section(
      'Deliverables that count already',
      (facts.deliverables ?? []).map(({ id, phase }) => `${plain(id)} of ${plain(phase)}`),
    ),
    ...section(
      'Questions re-delivered to the user, with the same ids',
      facts.questions.map((question) => `${question.id}: ${plain(question.question)}`),
    ),
    ...section(
      'Answers that you were given before',
      (facts.answers ?? []).map(({ question, answer }) => `${plain(question)} -> ${plain(answer)}`),
    ),
    ...section('Tasks you were waiting for', awaited.map(taskLine)),
    ...section('Tasks you spawned, with their present status', facts.tasks.map(taskLine)),
    ...section(
      'The end of your conversation before, as it was stored',
      (facts.conversation ?? []).map(({ role, content }) => `${plain(role)}: ${plain(content)}`),
    ),
    ...section('Warnings', facts.warnings.map(plain)),
    ...section('From the person who resumed you', context === '' ? [] : [plain(context)]),
    'Do not spawn, ask or hand in again what is listed here. Continue from where you were.',
    noticeEnd,
  ].join('\n');
}

export interface DigestTask {
  readonly id: string;
  readonly name: string;
  readonly status: TaskStatus;
  readonly summary?: string | null | undefined;
  readonly errorMessage?: string | null | undefined;
}

export interface DigestFacts {
  readonly reason: WakeReason;
  /** It had no process while it waited. */
  readonly parked?: boolean | undefined;
  readonly phase: string;
  /** Tasks that were awaited. */
  readonly tasks: readonly DigestTask[];
  readonly answers: readonly { readonly question: string; readonly answer: string }[];
  /** Questions that nobody has answered yet. */
  readonly openQuestions: readonly { readonly id: string; readonly question: string }[];
}

export const digestStart = '=== WAKE ===';
export const digestEnd = '=== END WAKE ===';

/** What became of what it waited for, for a supervisor whose turn is over or that had no process meanwhile. */
export function wakeDigest(facts: DigestFacts): string {
  return [
    digestStart,
    reasonWords[facts.reason],
    ...(facts.parked === true ? [parkedWords] : []),
    `Phase: ${plain(facts.phase)}`,
    ...section('Tasks', facts.tasks.map(digestLine)),
    ...section(
      'Answers',
      facts.answers.map(({ question, answer }) => `${plain(question)} -> ${plain(answer)}`),
    ),
    ...section(
      'Questions still open',
      facts.openQuestions.map((question) => `${question.id}: ${plain(question.question)}`),
    ),
    digestEnd,
  ].join('\n');
}

const reasonWords: Readonly<Record<WakeReason, string>> = {
  satisfied: 'What you waited for has come.',
  timed_out: 'The time that you gave your wait is over.',
  answered: 'A question of yours was answered.',
  message:
    'You were sent a message. What you waited for has not come: end your turn when you are done, and you are woken when it does.',
  limit: 'The usage limit that stopped you is over: go on where you were.',
  asked: 'A person asked you to go on. What you waited for may still come.',
  withdrawn: 'Nothing that you waited for will come any more: it ended or was withdrawn.',
};

const parkedWords =
  'You had no process while you waited. A tool call that was broken off then needs no repeating: its outcome stands here.';

const strategyWords: Readonly<Record<NoticeFacts['strategy'], string>> = {
  resume_session: 'Your session continues where it was.',
  checkpoint: 'You start from the last checkpoint; earlier uncommitted work may be gone.',
  fresh: 'You start in a fresh session; read the state below before you act.',
};

function section(title: string, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [];
  return [`${title} (${lines.length}):`, ...lines.map((line) => `  - ${line}`)];
}

function taskLine(task: { name: string; id: string; status: TaskStatus }): string {
  return `${plain(task.name)} [${task.id}]: ${task.status}`;
}

function digestLine(task: DigestTask): string {
  const said = task.errorMessage ?? task.summary ?? '';
  return said.trim() === '' ? taskLine(task) : `${taskLine(task)} - ${plain(said)}`;
}

/** One line, without anything that looks like a frame. */
function plain(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/={3,}/g, '==').trim();
}
