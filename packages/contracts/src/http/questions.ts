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
    'Holds the request until answered, at most 300 s, then `stillPending`; 408 with `timedOut` when timeoutSeconds is over. `nonBlocking` answers at once.',
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
  params: byId,
  query: z.strictObject({ waitSeconds: z.coerce.number().int().min(0).max(300).default(300) }),
  status: 200,
  response: zAskResult,
  errors: ['NOT_FOUND'],
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
