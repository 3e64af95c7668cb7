/**
 * Questions that agents ask people: when an answer is acceptable, how it reads, how long an asker is held.
 *
 * Law: a question keeps its id from asking to answering. It never expires; the first answer wins; nothing
 * answers itself unless its asker gave a default with a time. Free text is always an acceptable answer.
 */
import { limits } from './limits.ts';
import { no, type Refusal } from './verdict.ts';

/** `cancelled`: withdrawn, because its contract or its asker ended, or its asker broke off. */
export const questionStatuses = ['open', 'answered', 'cancelled'] as const;

export type QuestionStatus = (typeof questionStatuses)[number];

export const questionTransitions: Readonly<Record<QuestionStatus, readonly QuestionStatus[]>> = {
  open: ['answered', 'cancelled'],
  answered: [],
  /** The agent that broke off asks the very same again. */
  cancelled: ['open'],
};

/** What may be asked for by name; an agent's own prompt before a tool is a `permission`. */
export const askableTypes = ['general', 'phase_confirmation', 'contract_complete'] as const;

export const questionTypes = [...askableTypes, 'permission'] as const;

export type QuestionType = (typeof questionTypes)[number];

/** What the control plane itself asks a person to decide; the answer is carried out, not delivered to an agent. */
export type QuestionSubject =
  | {
      readonly kind: 'limit';
      readonly taskId: string;
      readonly attempt: number;
      /** When the limit ends, ISO 8601. */
      readonly until: string;
    }
  /** A budget is used up: that of the task, or of the whole contract. */
  | { readonly kind: 'budget'; readonly taskId: string | null };

/**
 * The key of what an agent asks by its own tool. Its daemon names it freely; keys of the control plane's own
 * questions never begin so.
 */
const agentKeyPrefix = 'agent:';

export function agentAskKey(requestId: string): string {
  return `${agentKeyPrefix}${requestId}`;
}

/** Undefined for a question that no tool of the agent's own asked. */
export function requestIdOf(askKey: string | null): string | undefined {
  return askKey?.startsWith(agentKeyPrefix) === true
    ? askKey.slice(agentKeyPrefix.length)
    : undefined;
}

/** Whether a contract may not end while this is open. A budget holds no end up: an end spends nothing. */
export function holdsCompletion(question: {
  readonly nonBlocking: boolean;
  readonly questionType: string;
  readonly subject: QuestionSubject | null;
}): boolean {
  const { nonBlocking, questionType, subject } = question;
  return !nonBlocking && questionType === 'general' && subject?.kind !== 'budget';
}

export interface Question {
  readonly question: string;
  readonly choices: readonly string[];
  readonly multiSelect: boolean;
}

export interface AcceptedAnswer {
  readonly ok: true;
  /** The answer as text; several choices are joined by ", ". */
  readonly value: string;
  /** The offered choices that it names, in the order given; empty for free text. */
  readonly selected: readonly string[];
}

/**
 * Is this an answer to that question? A list is a selection; a text that equals a choice (whatever its
 * case) counts as that choice; any other text stands as it is.
 */
export function checkAnswer(
  question: Question,
  response: string | readonly string[],
): AcceptedAnswer | Refusal {
  const parts = partsOf(question, response).map((part) => part.trim());
  const given = [...new Set(parts.map((part) => canonical(question, part)))];
  if (given.every((part) => part === '')) return no('The answer is empty.');
  if (given.includes('')) return no('One of the selected answers is empty.');
  if (given.length > 1 && !question.multiSelect) {
    return no('This question takes one answer, not several.');
  }
  return {
    ok: true,
    value: given.join(', '),
    selected: given.filter((part) => question.choices.includes(part)),
  };
}

/** What the agent reads as a message. */
export function answerText(question: string, answer: string): string {
  return `[User Response to Question]\nQuestion: ${question}\nAnswer: ${answer}\n`;
}

const affirmative = new Set(['confirm', 'confirmed', 'yes', 'y', 'approve', 'approved', 'ok']);

/** Only a plain yes confirms; everything else leaves the guard shut and is passed on as a comment. */
export function isConfirming(answer: string): boolean {
  return affirmative.has(plain(answer));
}

function plain(answer: string): string {
  return answer
    .trim()
    .toLowerCase()
    .replace(/[.!]+$/, '');
}

/** What an agent is offered to hear when it asks to use a tool. */
export const permissionChoices = ['Allow', 'Deny'] as const;

export type PermissionVerdict =
  | { readonly allow: true }
  | { readonly allow: false; readonly words: string };

const allowing = new Set([...affirmative, 'allow', 'allowed', 'permit']);

/** Only a plain yes allows; whatever else a person says is a refusal, and their words are its reason. */
export function permissionVerdict(answer: string): PermissionVerdict {
  if (allowing.has(plain(answer))) return { allow: true };
  const words = answer.trim().replace(/^(deny|denied|no)\b\s*[:,.;!–-]*\s*/i, '');
  return { allow: false, words: words === '' ? 'A person denied it.' : words };
}

export const reconcileModes = ['auto', 'semi-auto', 'manual'] as const;

export type ReconcileMode = (typeof reconcileModes)[number];

export interface Ask {
  readonly nonBlocking: boolean;
  /** The asker waits until a person answers, however long: each request is held a while, then polls. */
  readonly phaseguard: boolean;
  readonly timeoutSeconds: number;
  /** Set when the asker is a task of a directive without a contract. */
  readonly reconcileMode?: ReconcileMode | undefined;
}

/** Longest time that one request is held for a guard or a poll. */
export const questionPollHoldMs = 300_000;
/**
 * How long one request of the asker is held, in milliseconds; 0 for a question nobody waits for.
 * `autoHoldMs`: how long a directive in `auto` waits for an answer.
 */
export function questionHoldMs(ask: Ask, autoHoldMs: number = limits.questionAutoHoldMs): number {
  if (ask.nonBlocking) return 0;
  if (waitsForEver(ask)) return questionPollHoldMs;
  if (ask.reconcileMode === 'auto') return autoHoldMs;
  return Math.max(1, ask.timeoutSeconds) * 1000;
}

/** What the asker is told when the hold is over and no answer came. */
export function questionAfterHold(ask: Ask): 'asked' | 'still_pending' | 'timed_out' {
  if (ask.nonBlocking) return 'asked';
  return waitsForEver(ask) ? 'still_pending' : 'timed_out';
}

/** What an asker gave in case that nobody answers: an answer, and when it is taken. */
export interface AskedDefault {
  readonly answer: string | readonly string[];
  readonly afterSeconds: number;
}

/** A default must be an answer to its question, and nothing that only a person may decide has one. */
export function checkDefault(
  ask: Question & { readonly type: QuestionType; readonly phaseguard: boolean },
  given: AskedDefault,
): AcceptedAnswer | Refusal {
  if (ask.phaseguard || ask.type !== 'general')
    return no('A guard or a confirmation waits for a person; it has no default.');
  return checkAnswer(ask, given.answer);
}

export interface DefaultAnswer {
  readonly answer: string;
  readonly at: Date;
}

/** Who answered, when nobody did. */
export const defaultAnswerer = 'the default of its asker';

/** The default that the asker gave is due now. A guard never has one. */
export function isDefaultDue(
  question: { readonly type: QuestionType; readonly defaultAnswer?: DefaultAnswer | undefined },
  now: Date,
): boolean {
  if (question.type !== 'general' || question.defaultAnswer === undefined) return false;
  return now.getTime() >= question.defaultAnswer.at.getTime();
}

function waitsForEver(ask: Ask): boolean {
  return ask.phaseguard || ask.reconcileMode === 'semi-auto' || ask.reconcileMode === 'manual';
}

function canonical(question: Question, part: string): string {
  if (question.choices.includes(part)) return part;
  const lower = part.toLowerCase();
  return question.choices.find((choice) => choice.trim().toLowerCase() === lower) ?? part;
}

/** Some surfaces send a selection already joined: it counts as one when every part is an offered choice. */
function partsOf(question: Question, response: string | readonly string[]): readonly string[] {
  if (typeof response !== 'string') return response;
  const whole = canonical(question, response.trim());
  if (!question.multiSelect || question.choices.includes(whole)) return [response];
  const parts = response.split(',').map((part) => canonical(question, part.trim()));
  return parts.every((part) => question.choices.includes(part)) ? parts : [response];
}
