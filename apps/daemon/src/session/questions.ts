/**
 * The agent's own questions and permission prompts: each becomes a question at the server, and an answer
 * that comes back (a message that names the request) is handed to the agent as the answer to it.
 *
 * Law: the name of a question is stable over a resume where the agent's tool id is, so that a question asked
 * again is the same question; and it names what is asked, so that no answer to one thing is taken for another
 * where an agent counts its calls from one again. A report of a question fits a frame whatever the agent asks.
 */
import { createHash } from 'node:crypto';
import type { AgentMessage } from '@makima/contracts/socket/commands';
import type { ReportOf } from '@makima/contracts/socket/reports';
import type { EventOf } from '../driver/events.ts';
import { permissionChoices, permissionVerdict } from '@makima/domain/question';
import { boundedInput, cleanText } from './lines.ts';
import type { LiveAttempt } from './live.ts';

type Asked = Omit<ReportOf<'agent.asked'>, 'kind' | 'taskId' | 'attempt'>;

/** Remembers a `question` or `permission` event; what to report of it. */
export function openQuestions(
  live: LiveAttempt,
  event: EventOf<'question'> | EventOf<'permission'>,
): Asked[] {
  const name = nameOf(event);
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
        context: event.reason === null ? null : text(event.reason),
        choices: [...permissionChoices],
        multiSelect: false,
        tool: { name: text(event.tool, toolNameBytes), input: boundedInput(event.input) },
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
      tool: null,
    };
  });
}

/** The agent waits for no answer to this request any more. Answers the names of what it had asked. */
export function cancelQuestions(live: LiveAttempt, requestId: string): string[] {
  const names = [...live.asked].filter(([, asked]) => asked.requestId === requestId);
  for (const [name] of names) live.asked.delete(name);
  return names.map(([name]) => name);
}

/** Hands an answer to the agent. False: nothing waits for it, so it is an ordinary message. */
export async function answerQuestion(live: LiveAttempt, message: AgentMessage): Promise<boolean> {
  const { requestId: name } = message;
  const asked = name === undefined ? undefined : live.asked.get(name);
  if (asked === undefined || live.agent === null) return false;
  const answer = message.answer ?? message.text;
  if (asked.kind === 'permission') {
    const verdict = permissionVerdict(answer);
    cancelQuestions(live, asked.requestId);
    return live.agent.answer(
      asked.requestId,
      verdict.allow
        ? { kind: 'permission', allow: true }
        : { kind: 'permission', allow: false, message: verdict.words },
    );
  }
  asked.answer = [answer];
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
const toolNameBytes = 200;

function nameOf(event: EventOf<'question'> | EventOf<'permission'>): string {
  const id = (event.toolId ?? event.requestId).slice(0, nameChars);
  const digest = createHash('sha256');
  for (const part of partsOf(event)) digest.update(part).update('\0');
  return `${id}~${digest.digest('hex').slice(0, 12)}`;
}

const text = (words: string, maxBytes = questionBytes): string => cleanText(words, maxBytes);

/** What is asked, a piece each: whole it may be longer than a string can be. */
function* partsOf(event: EventOf<'question'> | EventOf<'permission'>): Generator<string> {
  if (event.t === 'permission') {
    yield event.tool;
    yield JSON.stringify(event.input) ?? '';
    return;
  }
  for (const question of event.questions) {
    yield question.text;
    for (const option of question.options.slice(0, choicesMax)) yield option.label;
  }
}
