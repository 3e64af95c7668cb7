/**
 * What Codex asks of us while it works: questions of its own, and leave to act.
 *
 * Law: every request gets exactly one answer, or its cancellation is told. Codex cannot be given words with a
 * refusal, nor other input with a leave: the words follow as a message, the other input is not taken.
 */
import { rpcRefusal, rpcResult } from './codex-rpc.ts';
import { commandOf } from './codex-items.ts';
import type { DialectLink } from './dialect.ts';
import type { PermissionAnswer, QuestionAnswer } from './driver.ts';
import type { AgentQuestion } from './events.ts';
import type { Json } from './json.ts';
import { objectsOf, textOf } from './json.ts';

export interface CodexRequests {
  /** True when the line is a request. */
  read(line: Json): boolean;
  /** Codex waits for this one no more. */
  resolved(rpcId: unknown): void;
  /** The line that answers, or null for an id that waits for nothing or an answer of another kind. */
  answer(requestId: string, answer: QuestionAnswer | PermissionAnswer): string | null;
  /** The turn is over: nothing is waited for any more. */
  turnOver(): void;
}

/** A request that waits for a person. */
interface Open {
  readonly rpcId: unknown;
  /** Ids of what is asked; null: leave to act. */
  readonly questions: readonly string[] | null;
}

export function codexRequests(
  link: DialectLink,
  options: {
    /** What the call was told with. */
    readonly inputOf: (toolId: string) => unknown;
    /** Says something to the model, after the answer. */
    readonly tell: (text: string) => void;
  },
): CodexRequests {
  const open = new Map<string, Open>();
  const wait = (requestId: string, request: Open) => {
    open.set(requestId, request);
    link.emit({ t: 'state', state: 'waiting_input' });
  };
  const cancel = (requestId: string) => {
    if (open.delete(requestId)) link.emit({ t: 'request_cancelled', requestId });
  };
  return {
    read(line) {
      const { id: rpcId } = line;
      const method = textOf(line.method);
      if (rpcId === undefined || method === null) return false;
      const requestId = nameOf(rpcId);
      const params = line.params as Json;
      const toolId = textOf(params.itemId);
      if (method === 'item/tool/requestUserInput') {
        const questions = objectsOf(params.questions).map(readQuestion);
        link.emit({ t: 'question', requestId, toolId, questions });
        wait(requestId, { rpcId, questions: questions.map(({ id }) => id) });
      } else if (method in asks) {
        const { tool, input: asked } = (asks[method] as (params: Json) => Asked)(params);
        const input = asked ?? options.inputOf(toolId ?? '') ?? null;
        const reason = textOf(params.reason);
        link.emit({ t: 'permission', requestId, toolId, tool, input, reason });
        wait(requestId, { rpcId, questions: null });
      } else if (method === 'mcpServer/elicitation/request') {
        link.writeLine(rpcResult(rpcId, { action: 'decline', content: null }));
      } else {
        link.writeLine(rpcRefusal(rpcId, method));
      }
      return true;
    },
    resolved(rpcId) {
      cancel(nameOf(rpcId));
      if (open.size === 0) link.emit({ t: 'state', state: 'working' });
    },
    answer(requestId, answer) {
      const request = open.get(requestId);
      const result = request === undefined ? null : resultOf(request, answer);
      if (request === undefined || result === null) return null;
      open.delete(requestId);
      const refusal = answer.kind === 'permission' && !answer.allow ? answer.message : '';
      if (refusal !== '') options.tell(`That call was refused: ${refusal}`);
      return rpcResult(request.rpcId, result);
    },
    turnOver() {
      for (const requestId of open.keys()) cancel(requestId);
    },
  };
}

const nameOf = (rpcId: unknown): string => `request-${String(rpcId)}`;

interface Asked {
  readonly tool: string;
  /** Null: the request does not say it, its call did. */
  readonly input: Json | null;
}

/** The name of a tool is that of its call (`codex-items.ts`). */
const asks: Readonly<Record<string, (params: Json) => Asked>> = {
  'item/commandExecution/requestApproval': (params) => ({
    tool: 'shell',
    input: { command: commandOf(params), cwd: params.cwd },
  }),
  'item/fileChange/requestApproval': () => ({ tool: 'apply_patch', input: null }),
};

function readQuestion(question: Json, index: number): AgentQuestion {
  const header = textOf(question.header);
  return {
    id: textOf(question.id) ?? `q${index}`,
    ...(header === null ? {} : { header }),
    text: textOf(question.question) ?? '',
    options: objectsOf(question.options).map((option) => {
      const description = textOf(option.description);
      const label = textOf(option.label) ?? '';
      return description === null ? { label } : { label, description };
    }),
    multi: false,
    free: question.isOther !== false,
  };
}

/** Null when the answer is not of the request's kind. */
function resultOf(request: Open, answer: QuestionAnswer | PermissionAnswer): Json | null {
  if (answer.kind === 'permission') {
    if (request.questions !== null || (answer.allow && answer.input !== undefined)) return null;
    return { decision: answer.allow ? 'accept' : 'decline' };
  }
  if (request.questions === null) return null;
  const answers = request.questions.map((id) => [id, { answers: answer.answers[id] ?? [] }]);
  return { answers: Object.fromEntries(answers) };
}
