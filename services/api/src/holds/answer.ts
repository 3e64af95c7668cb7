/**
 * Holding for a person's answer. While a request holds, the question knows it, so that the answer is not
 * also sent as a message; when the hold ends without one, it knows that too.
 *
 * Law: an answer is marked as taken only when its asker is still there to read it.
 */
import { channels } from '@makima/contracts/channels';
import { readAnswer, type AnswerState } from '@makima/engine/question/get';
import { keyIdOf } from '../idempotency.ts';
import type { Held } from '../wait.ts';
import type { HoldCaller } from './hold-caller.ts';

const rereadMs = 5_000;
/** Beyond the next look, so that a slow one does not let go. */
const heldForMs = rereadMs + 10_000;

export async function holdForAnswer(
  hold: HoldCaller,
  questionId: string,
): Promise<Held<AnswerState>> {
  const { api, caller, signal } = hold;
  const isAsker = caller.kind === 'agent';
  const marks = isAsker && hold.holdMs > 0 ? { holdMs: heldForMs } : {};
  const held = await api.holds.hold({
    holder: keyIdOf(caller),
    channels: [channels.questionDone(questionId)],
    holdMs: hold.holdMs,
    rereadMs,
    signal,
    read: () => readAnswer(api.engine, caller, { questionId, ...marks }),
    isOver: (state) => state.status !== 'open',
    ...hold.beats,
  });
  if (!isAsker) return held;
  if (held.value.status === 'open') await readAnswer(api.engine, caller, { questionId, holdMs: 0 });
  else if (!signal.aborted) await readAnswer(api.engine, caller, { questionId, take: true });
  return held;
}
