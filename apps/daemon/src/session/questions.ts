/**
 * The agent's own questions and permission prompts: each becomes a question at the server, and an answer
 * that comes back (a message that names the request) is handed to the agent as the answer to it.
 *
 * Law: the name of a question is stable over a resume where the agent's tool id is, so that a question asked
 * again is the same question. A report of a question fits a frame whatever the agent asks.
 */
import type { AgentMessage } from '@makima/contracts/socket/commands';
import type { ReportOf } from '@makima/contracts/socket/reports';
import type { EventOf } from '../driver/events.ts';
import { cleanText } from './lines.ts';
import type { LiveAttempt } from './live.ts';

type Asked = Omit<ReportOf<'agent.asked'>, 'kind' | 'taskId' | 'attempt'>;

/** Remembers a `question` or `permission` event; what to report of it. */
export function openQuestions(
  live: LiveAttempt,
  event: EventOf<'question'> | EventOf<'permission'>,
): Asked[] {
  const name = (event.toolId ?? event.requestId).slice(0, nameChars);
  if (event.t === 'permission') {
    live.asked.set(name, {
      requestId: event.requestId,
      kind: 'permission',
      questionId: '',
      answer: null,
    });
    return [
      {
        requestId: name,
        questionType: 'permission',
        question: text(`May the agent use ${event.tool}?`),
        context: text(event.reason ?? JSON.stringify(event.input) ?? ''),
        choices: ['Allow', 'Deny'],
        multiSelect: false,
      },
    ];
  }
  return event.questions.map((question, index) => {
    const requestId = event.questions.length === 1 ? name : `${name}#${index}`;
    live.asked.set(requestId, {
      requestId: event.requestId,
      kind: 'question',
      questionId: question.id,
      answer: null,
    });
    return {
      requestId,
      questionType: 'general',
      question: text(question.text),
      context: question.header === undefined ? null : text(question.header),
      choices: question.options
        .slice(0, choicesMax)
        .map((option) => text(option.label, choiceBytes)),
      multiSelect: question.multi,
    };
  });
}

export function cancelQuestions(live: LiveAttempt, requestId: string): void {
  for (const [name, asked] of live.asked) {
    if (asked.requestId === requestId) live.asked.delete(name);
  }
}

/** Hands an answer to the agent. False: nothing waits for it, so it is an ordinary message. */
export async function answerQuestion(live: LiveAttempt, message: AgentMessage): Promise<boolean> {
  const { requestId: name } = message;
  const asked = name === undefined ? undefined : live.asked.get(name);
  if (asked === undefined || live.agent === null) return false;
  if (asked.kind === 'permission') {
    const allow = /^\s*(allow|yes|ok)\b/i.test(message.text);
    cancelQuestions(live, asked.requestId);
    return live.agent.answer(
      asked.requestId,
      allow ? { kind: 'permission', allow } : { kind: 'permission', allow, message: message.text },
    );
  }
  asked.answer = [message.text];
  const together = [...live.asked.values()].filter((other) => other.requestId === asked.requestId);
  if (together.some((other) => other.answer === null)) return true;
  cancelQuestions(live, asked.requestId);
  const answers = Object.fromEntries(
    together.map((other) => [other.questionId, other.answer ?? []]),
  );
  return live.agent.answer(asked.requestId, { kind: 'question', answers });
}

/** Control characters take six bytes each in a frame. */
const questionBytes = 32_768;
const choiceBytes = 500;
const choicesMax = 100;
const nameChars = 200;

const text = (words: string, maxBytes = questionBytes): string => cleanText(words, maxBytes);
