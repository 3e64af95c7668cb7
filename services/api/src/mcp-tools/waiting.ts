/** Tools that wait: for tasks, and for a person. */
import { z } from 'zod';
import { zId } from '@makima/contracts/ids';
import { zAskInput } from '@makima/contracts/entity/question';
import { zTaskStatus, zWaitExpires } from '@makima/contracts/entity/task';
import { MakimaError } from '@makima/domain/error';
import { askQuestion } from '@makima/engine/question/ask';
import { holdForAnswer } from '../holds/answer.ts';
import { holdForTasks } from '../holds/tasks.ts';
import { defineTool, goOn, pending, type ToolArgs } from './tool.ts';

const zSeconds = z.int().min(0).max(86_400);

export const wait = defineTool({
  name: 'makima_wait',
  title: 'Wait for tasks',
  description:
    'Wait until all (or any) of these tasks have ended; costs nothing while it waits. A call is held for four minutes at most: when `stillPending`, call again as `next` says, or end your turn, and you are woken with the outcome.',
  input: z.strictObject({
    taskIds: z.array(zId).min(1).max(200),
    mode: z.enum(['all', 'any']).default('all'),
    timeoutSeconds: zSeconds.optional(),
    expiresInSeconds: zWaitExpires
      .optional()
      .describe('give the wait up after this time; you are told once (default: never)'),
    waitId: zId.optional().describe('of an earlier call that was still pending'),
  }),
  output: z.object({
    ...pending,
    waitId: z.string(),
    timedOut: z.boolean(),
    tasks: z.array(
      z.object({
        taskId: z.string(),
        name: z.string(),
        status: zTaskStatus,
        completed: z.boolean(),
        summary: z.string().optional(),
        error: z.string().optional(),
      }),
    ),
  }),
  agents: 'supervisor',
  people: 'too',
  effect: 'writes',
  run: async ({ call, caller, input, hold }) => {
    const { value } = await holdForTasks(hold(input.timeoutSeconds), call, input);
    const tasks = value.tasks.map(({ outputSummary, errorMessage, ...task }) => ({
      ...task,
      ...(outputSummary === null ? {} : { summary: outputSummary.slice(0, 2_000).toWellFormed() }),
      ...(errorMessage === null ? {} : { error: errorMessage.slice(0, 2_000).toWellFormed() }),
    }));
    const { waitId, satisfied, timedOut } = value;
    if (satisfied) return { stillPending: false, waitId, timedOut: false, tasks };
    if (timedOut) {
      const note =
        'The time of this wait is over. What has not ended goes on: wait again, look, or cancel.';
      return { stillPending: false, waitId, timedOut, tasks, note };
    }
    // A person's wait ended with the request; an agent's goes on.
    const handle = caller.kind === 'agent' ? { waitId } : {};
    const args = { taskIds: input.taskIds, mode: input.mode, ...handle };
    const note =
      'Not over yet. Call again as `next` says, or end your turn: you are woken with the outcome.';
    return { ...goOn('makima_wait', args, note), waitId, timedOut, tasks };
  },
});

const zAnswer = z.object({
  ...pending,
  questionId: z.string(),
  response: z.string().nullable(),
  withdrawn: z.boolean().optional(),
  /** Nobody answered in the time that the directive gives. */
  timedOut: z.boolean().optional(),
});

export const ask = defineTool({
  name: 'makima_ask',
  title: 'Ask a person',
  description:
    'Ask a person what you cannot decide, with choices if you can. Ask once, and only what matters. Held for four minutes at most: when `stillPending`, call as `next` says, or go on with other work; the answer also comes as a message. `nonBlocking` returns at once.',
  input: zAskInput.extend({ timeoutSeconds: zSeconds.default(3_600) }),
  output: zAnswer,
  agents: 'lead',
  people: 'not',
  effect: 'writes',
  run: async (args) => {
    const { result } = await askQuestion(args.engine, args.call, args.input);
    const answered = await answer(args, result.questionId, result.holdMs / 1_000);
    return answered.stillPending && result.reconcileMode === 'auto'
      ? decideYourself(result.questionId)
      : answered;
  },
});

/** A directive in `auto` does not wait for people; the answer may still come as a message. */
function decideYourself(questionId: string): z.input<typeof zAnswer> {
  const note =
    'Nobody answered in the time that this directive gives. Decide by yourself, go on, and say in your summary what you decided.';
  return { stillPending: false, timedOut: true, questionId, response: null, note };
}

export const poll = defineTool({
  name: 'makima_poll',
  title: 'Wait for an answer',
  description: 'Wait again for the answer to a question that you asked, by its questionId.',
  input: z.strictObject({ questionId: zId, timeoutSeconds: zSeconds.optional() }),
  output: zAnswer,
  agents: 'lead',
  people: 'not',
  effect: 'reads',
  run: (args) => answer(args, args.input.questionId, args.input.timeoutSeconds),
});

async function answer(
  { hold }: Pick<ToolArgs<unknown>, 'hold'>,
  questionId: string,
  timeoutSeconds: number | undefined,
): Promise<z.input<typeof zAnswer>> {
  const { value } = await holdForAnswer(hold(timeoutSeconds), questionId);
  if (value.status === 'answered')
    return { stillPending: false, questionId, response: value.response };
  if (value.status === 'cancelled') {
    const note = 'The question was withdrawn: what it showed has changed. Look at makima_status.';
    return { stillPending: false, questionId, response: null, withdrawn: true, note };
  }
  const note =
    'Nobody has answered yet. Call again as `next` says, or go on: the answer also comes as a message.';
  return { ...goOn('makima_poll', { questionId }, note), questionId, response: null };
}

/** What a guarded act waits for: the person's decision. */
export async function decisionOf(
  args: Pick<ToolArgs<unknown>, 'hold'>,
  questionId: string,
  seconds?: number,
) {
  if (questionId === '')
    throw new MakimaError('CONFLICT', 'the request for confirmation has no question', {
      retryable: true,
    });
  return holdForAnswer(args.hold(seconds), questionId);
}
