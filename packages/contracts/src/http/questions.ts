/** Endpoints of questions and the inbox (seed 002, M8.11). */
import { z } from 'zod';
import { zId } from '../ids.ts';
import { zAnswerInput, zAskInput, zAskResult, zInboxItem, zQuestion } from '../entity/question.ts';
import { zCursorQuery, zPage } from './page.ts';
import { defineEndpoint } from './endpoint.ts';

const byId = z.strictObject({ id: zId });
const tag = 'questions';

export const askQuestion = defineEndpoint({
  id: 'askQuestion',
  method: 'POST',
  path: '/api/v1/mesh/supervisor/questions',
  tag,
  summary: 'Ask a person; the question keeps its id whatever restarts in between',
  description:
    'Holds the request until answered, at most 300 s, then `stillPending`: poll; 408 with `timedOut` when timeoutSeconds are over, the question stays open. `nonBlocking` answers at once. `default` is taken as the answer when nobody has given one after its time.',
  body: zAskInput,
  status: 200,
  response: zAskResult,
  errors: [
    'NOT_SUPERVISOR',
    'NO_CONTEXT',
    'INVALID_TRANSITION',
    'WAIT_TIMED_OUT',
    'LIMIT_EXCEEDED',
    'FENCED',
    'CONFLICT',
  ],
  policy: { person: 'none', tool: 'lead', daemon: false },
  idempotent: true,
});

export const pollQuestion = defineEndpoint({
  id: 'pollQuestion',
  method: 'GET',
  path: '/api/v1/mesh/supervisor/questions/{id}/poll',
  tag,
  summary: 'Wait again for the answer to a question',
  description:
    'Holds at most 300 s, then `stillPending`; 408 with `timedOut` when the time that its asker gave ends while it waits here. After that it may be waited for again.',
  params: byId,
  query: z.strictObject({ waitSeconds: z.coerce.number().int().min(0).max(300).default(300) }),
  status: 200,
  response: zAskResult,
  errors: ['NOT_FOUND', 'WAIT_TIMED_OUT'],
  policy: { person: 'read', tool: 'lead', daemon: false },
});

export const listQuestions = defineEndpoint({
  id: 'listQuestions',
  method: 'GET',
  path: '/api/v1/mesh/questions',
  tag,
  summary: 'Questions, oldest first',
  query: zCursorQuery.extend({
    status: z.enum(['open', 'answered', 'cancelled']).default('open'),
    contractId: zId.optional(),
  }),
  status: 200,
  response: zPage(zQuestion),
  errors: [],
  policy: { person: 'read', tool: 'none', daemon: false },
});

export const getQuestion = defineEndpoint({
  id: 'getQuestion',
  method: 'GET',
  path: '/api/v1/mesh/questions/{id}',
  tag,
  summary: 'One question',
  params: byId,
  status: 200,
  response: zQuestion,
  errors: ['NOT_FOUND'],
  policy: { person: 'read', tool: 'lead', daemon: false },
});

export const answerQuestion = defineEndpoint({
  id: 'answerQuestion',
  method: 'POST',
  path: '/api/v1/mesh/questions/{id}/answer',
  tag,
  summary: 'Answer a question: the first answer wins, later ones are told who and what',
  params: byId,
  body: zAnswerInput,
  status: 200,
  response: zQuestion,
  errors: ['NOT_FOUND', 'QUESTION_ANSWERED', 'CONFIRMATION_VOID'],
  policy: { person: 'write', tool: 'none', daemon: false },
  idempotent: true,
});

export const holdDefault = defineEndpoint({
  id: 'holdDefault',
  method: 'POST',
  path: '/api/v1/mesh/questions/{id}/hold',
  tag,
  summary: 'Stop the countdown of a question with a default: it waits for a person',
  params: byId,
  status: 200,
  response: zQuestion,
  errors: ['NOT_FOUND', 'QUESTION_ANSWERED', 'CONFIRMATION_VOID', 'CONFLICT'],
  policy: { person: 'write', tool: 'none', daemon: false },
});

export const inbox = defineEndpoint({
  id: 'inbox',
  method: 'GET',
  path: '/api/v1/inbox',
  tag,
  summary: 'What needs a person, most urgent first',
  status: 200,
  response: z.object({ items: z.array(zInboxItem) }),
  errors: [],
  policy: { person: 'read', tool: 'none', daemon: false },
});
