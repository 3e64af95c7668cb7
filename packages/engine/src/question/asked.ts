/** What asking answers, the hold that begins with it, and the default that an asker may give. */
import type { AskInput } from '@makima/contracts/entity/question';
import { MakimaError } from '@makima/domain/error';
import { checkDefault, type questionAfterHold, type ReconcileMode } from '@makima/domain/question';
import { endWait, holdQuestion } from '@makima/db/repo/questions';
import type { QuestionRow } from '@makima/db/rows';
import type { Act } from '../context.ts';

export interface Asked {
  readonly questionId: string;
  /** How long a request should hold for the answer; 0 for a non-blocking question. */
  readonly holdMs: number;
  /** What the asker is told when that time is over and nobody has answered. */
  readonly afterHold: ReturnType<typeof questionAfterHold>;
  /** Of the directive for which it was asked; null in a contract. */
  readonly reconcileMode: ReconcileMode | null;
}

const firstHoldMs = 15_000;

/**
 * Until the request that holds says so itself, again and again: a door that dies must not withhold it. The
 * whole time that the asker waits, over however many requests, is kept with the question.
 */
export async function holdFirst(
  a: Act,
  id: string,
  { holdMs, afterHold }: Pick<Asked, 'holdMs' | 'afterHold'>,
): Promise<void> {
  await endWait(a.tx, { id, afterMs: afterHold === 'timed_out' ? holdMs : null });
  if (holdMs > 0) await holdQuestion(a.tx, { id, untilMs: Math.min(holdMs, firstHoldMs) });
}

/** What one contract, or one agent without a contract, asks of people at once is bounded. @throws LIMIT_EXCEEDED */
export function checkRoomToAsk(a: Act, open: readonly QuestionRow[]): void {
  if (open.length < a.engine.limits.openQuestionsPerContractMax) return;
  throw new MakimaError('LIMIT_EXCEEDED', `${open.length} questions are open already`, {
    retryable: true,
    fix: 'wait for answers before asking more',
  });
}

/** @throws VALIDATION_FAILED for a default that a guard would have, or that is no answer to its question. */
export function checkedDefault(input: AskInput): { answer: string; afterMs: number } | null {
  if (input.default === undefined) return null;
  const { questionType: type, question, choices, multiSelect, phaseguard } = input;
  const asked = { type, question, choices, multiSelect, phaseguard };
  const verdict = checkDefault(asked, input.default);
  if (verdict.ok) return { answer: verdict.value, afterMs: input.default.afterSeconds * 1_000 };
  throw new MakimaError('VALIDATION_FAILED', verdict.reason, {
    details: { errors: [{ pointer: '/default', detail: verdict.reason }] },
    fix: 'ask without a default, or give one of the choices as it',
  });
}

export function defaultColumns(a: Act, input: AskInput): Partial<QuestionRow> {
  const given = checkedDefault(input);
  if (given === null) return {};
  return { defaultAnswer: given.answer, defaultAt: new Date(a.now.getTime() + given.afterMs) };
}

export function defaultFacts({ defaultAnswer, defaultAt }: QuestionRow): Record<string, unknown> {
  return defaultAt === null ? {} : { defaultAnswer, defaultAt: defaultAt.toISOString() };
}
