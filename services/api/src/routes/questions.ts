/** Handlers of questions and the inbox: asking and polling hold, the rest calls one verb. */
import { MakimaError } from '@makima/domain/error';
import { answerQuestion } from '@makima/engine/question/answer';
import { askQuestion } from '@makima/engine/question/ask';
import { getQuestion, listQuestions, type AnswerState } from '@makima/engine/question/get';
import { inbox } from '@makima/engine/question/inbox';
import { holdForAnswer } from '../holds/answer.ts';
import { requestHoldMs } from '../holds/hold-caller.ts';
import { reads, writes, type Handlers } from '../mount.ts';
import type { Held } from '../wait.ts';

export const questionHandlers = {
  askQuestion: async ({ api, engine, call, caller, signal, input }) => {
    const { result, replayed } = await askQuestion(engine, call, input);
    const holdMs = Math.min(result.holdMs, requestHoldMs);
    const held = await holdForAnswer({ api, caller, signal, holdMs }, result.questionId);
    const patient = result.afterHold !== 'timed_out' || result.holdMs > requestHoldMs;
    if (held.ended === 'late' && !patient) throw nobodyAnswered(held.value);
    return { result: answerOf(held), replayed };
  },
  pollQuestion: async ({ api, caller, signal, input }) => {
    const hold = {
      api,
      caller,
      signal,
      holdMs: Math.min(input.waitSeconds * 1_000, requestHoldMs),
    };
    return { result: answerOf(await holdForAnswer(hold, input.id)) };
  },
  listQuestions: reads(listQuestions),
  getQuestion: reads(getQuestion),
  answerQuestion: writes(answerQuestion),
  inbox: reads((engine, caller) => inbox(engine, caller)),
} satisfies Partial<Handlers>;

function answerOf({ value }: Held<AnswerState>) {
  return {
    questionId: value.questionId,
    response: value.response,
    timedOut: false,
    stillPending: value.status === 'open',
  };
}

function nobodyAnswered({ questionId }: AnswerState): MakimaError {
  return new MakimaError('WAIT_TIMED_OUT', 'nobody has answered yet; the question stays open', {
    details: { questionId, response: null, timedOut: true, stillPending: false },
    fix: `wait again: GET /api/v1/mesh/supervisor/questions/${questionId}/poll`,
  });
}
