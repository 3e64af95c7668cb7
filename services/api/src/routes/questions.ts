/** Handlers of questions and the inbox: asking and polling hold, the rest calls one verb. */
import { MakimaError } from '@makima/domain/error';
import { answerQuestion } from '@makima/engine/question/answer';
import { askQuestion } from '@makima/engine/question/ask';
import {
  getQuestion,
  listQuestions,
  readAnswer,
  type AnswerState,
} from '@makima/engine/question/get';
import { holdDefault } from '@makima/engine/question/default';
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
    return { result: answerOrTimeout(held, holdMs > 0), replayed };
  },
  pollQuestion: async ({ api, engine, caller, signal, input }) => {
    const { waitLeftMs } = await readAnswer(engine, caller, { questionId: input.id });
    const waits = waitLeftMs !== null && waitLeftMs > 0;
    const holdMs = Math.min(
      input.waitSeconds * 1_000,
      requestHoldMs,
      waits ? waitLeftMs : requestHoldMs,
    );
    const held = await holdForAnswer({ api, caller, signal, holdMs }, input.id);
    return { result: answerOrTimeout(held, waits) };
  },
  listQuestions: reads(listQuestions),
  getQuestion: reads(getQuestion),
  answerQuestion: writes(answerQuestion),
  holdDefault: writes(holdDefault),
  inbox: reads((engine, caller) => inbox(engine, caller)),
} satisfies Partial<Handlers>;

/** `waited`: whether the time that its asker gave was still running when this request began. */
function answerOrTimeout({ ended, value }: Held<AnswerState>, waited: boolean) {
  const isOver = value.waitLeftMs !== null && value.waitLeftMs <= 0;
  if (ended === 'late' && waited && isOver) throw nobodyAnswered(value);
  return {
    questionId: value.questionId,
    response: value.response,
    timedOut: false,
    stillPending: value.status === 'open',
    withdrawn: value.status === 'cancelled',
  };
}

function nobodyAnswered({ questionId }: AnswerState): MakimaError {
  return new MakimaError('WAIT_TIMED_OUT', 'nobody has answered yet; the question stays open', {
    details: { questionId, response: null, timedOut: true, stillPending: false },
    fix: `wait again: GET /api/v1/mesh/supervisor/questions/${questionId}/poll`,
  });
}
