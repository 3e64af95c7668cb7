/** What asking answers, and the hold that begins with it. */
import type { questionAfterHold, ReconcileMode } from '@makima/domain/question';
import { holdQuestion } from '@makima/db/repo/questions';
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

/** Until the request that holds says so itself, again and again: a door that dies must not withhold it. */
export async function holdFirst(a: Act, id: string, holdMs: number): Promise<void> {
  if (holdMs > 0) await holdQuestion(a.tx, { id, untilMs: Math.min(holdMs, firstHoldMs) });
}
