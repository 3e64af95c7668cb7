/**
 * The control channel of Claude Code: our requests to it (initialize, interrupt) and its requests to us
 * (questions, permissions, hooks before a tool).
 *
 * Law: every request of its gets exactly one answer, or its cancellation is told; a guard that throws denies.
 */
import type { ClaudeTurn } from './claude-turn.ts';
import { plainToolName } from './claude-turn.ts';
import type { DialectLink } from './dialect.ts';
import type { GuardVerdict, PermissionAnswer, QuestionAnswer, ToolGuard } from './driver.ts';
import type { AgentQuestion } from './events.ts';
import type { Json } from './json.ts';
import { isJson, objectOf, objectsOf, textOf } from './json.ts';
import { startFailure } from './start-failure.ts';

export interface ClaudeControl {
  initialize(): void;
  /** True when the line was of the control channel. */
  read(line: Json): boolean;
  interrupt(): string;
  answer(requestId: string, answer: QuestionAnswer | PermissionAnswer): string | null;
}

/** A request of Claude Code's that waits for a person. */
interface Open {
  readonly toolId: string | null;
  readonly input: Json;
  /** Texts by our question ids; null: a permission. */
  readonly questions: ReadonlyMap<string, string> | null;
}

const guardCallback = 'guard';

export function claudeControl(
  link: DialectLink,
  options: { readonly guard: ToolGuard | undefined; readonly turn: ClaudeTurn },
): ClaudeControl {
  const open = new Map<string, Open>();
  let serial = 0;
  const ask = (request: Json): string => {
    serial += 1;
    return JSON.stringify({ type: 'control_request', request_id: `makima-${serial}`, request });
  };
  const desk: Desk = { link, open, ...options };
  return {
    initialize() {
      const hook = { matcher: '', hookCallbackIds: [guardCallback] };
      const hooks = options.guard === undefined ? {} : { hooks: { PreToolUse: [hook] } };
      link.writeLine(ask({ subtype: 'initialize', ...hooks }));
    },
    read(line) {
      if (line.type === 'control_response') readResponse(link, objectOf(line.response));
      else if (line.type === 'control_request') readRequest(desk, line);
      else if (line.type === 'control_cancel_request') cancel(desk, textOf(line.request_id) ?? '');
      else return false;
      return true;
    },
    interrupt() {
      options.turn.interrupting = true;
      return ask({ subtype: 'interrupt' });
    },
    answer(requestId, answer) {
      const request = open.get(requestId);
      if (request === undefined) return null;
      const response = responseTo(request, answer);
      if (response === null) return null;
      open.delete(requestId);
      if (response.behavior === 'deny' && request.toolId !== null) {
        options.turn.denied.add(request.toolId);
      }
      return success(requestId, response);
    },
  };
}

interface Desk {
  readonly link: DialectLink;
  readonly open: Map<string, Open>;
  readonly guard: ToolGuard | undefined;
  readonly turn: ClaudeTurn;
}

/** The only answer that is waited for is the first one: it means ready. */
function readResponse(link: DialectLink, response: Json): void {
  if (response.request_id !== 'makima-1') return;
  if (response.subtype === 'success') link.ready();
  else
    link.fail(
      startFailure('exited', `Claude Code refused the start: ${textOf(response.error) ?? ''}`),
    );
}

function readRequest(desk: Desk, line: Json): void {
  const requestId = textOf(line.request_id) ?? '';
  const request = objectOf(line.request);
  if (request.subtype === 'can_use_tool') askPerson(desk, requestId, request);
  else if (request.subtype === 'hook_callback') void askGuard(desk, requestId, request);
  else {
    const error = `makima does not answer ${String(request.subtype)}`;
    const response = { subtype: 'error', request_id: requestId, error };
    desk.link.writeLine(JSON.stringify({ type: 'control_response', response }));
  }
}

function askPerson({ link, open }: Desk, requestId: string, request: Json): void {
  const toolId = textOf(request.tool_use_id);
  const name = textOf(request.tool_name) ?? '';
  const input = objectOf(request.input);
  if (name === 'AskUserQuestion') {
    const questions = objectsOf(input.questions).map(readQuestion);
    open.set(requestId, {
      toolId,
      input,
      questions: new Map(questions.map(({ id, text }) => [id, text])),
    });
    link.emit({ t: 'question', requestId, toolId, questions });
    link.emit({ t: 'state', state: 'waiting_input' });
    return;
  }
  open.set(requestId, { toolId, input, questions: null });
  const reason = textOf(request.decision_reason);
  link.emit({ t: 'permission', requestId, toolId, tool: plainToolName(name), input, reason });
  link.emit({ t: 'state', state: 'waiting_input' });
}

function readQuestion(question: Json, index: number): AgentQuestion {
  const header = textOf(question.header);
  return {
    id: `q${index}`,
    ...(header === null ? {} : { header }),
    text: textOf(question.question) ?? '',
    options: objectsOf(question.options).map((option) => {
      const description = textOf(option.description);
      const label = textOf(option.label) ?? '';
      return description === null ? { label } : { label, description };
    }),
    multi: question.multiSelect === true,
    free: true,
  };
}

function cancel({ link, open }: Desk, requestId: string): void {
  if (open.delete(requestId)) link.emit({ t: 'request_cancelled', requestId });
}

/** Null when the answer is not of the request's kind. */
function responseTo(request: Open, answer: QuestionAnswer | PermissionAnswer): Json | null {
  if (answer.kind === 'permission') {
    if (request.questions !== null) return null;
    if (!answer.allow) return { behavior: 'deny', message: answer.message };
    return { behavior: 'allow', updatedInput: answer.input ?? request.input };
  }
  if (request.questions === null) return null;
  const answers: Record<string, string> = {};
  for (const [id, text] of request.questions) answers[text] = (answer.answers[id] ?? []).join(', ');
  return { behavior: 'allow', updatedInput: { ...request.input, answers } };
}

async function askGuard(
  { link, guard, turn }: Desk,
  requestId: string,
  request: Json,
): Promise<void> {
  const input = objectOf(request.input);
  const toolId = textOf(input.tool_use_id) ?? textOf(request.tool_use_id) ?? '';
  let verdict: GuardVerdict;
  try {
    const name = plainToolName(textOf(input.tool_name) ?? '');
    verdict = (await guard?.({ toolId, name, input: input.tool_input })) ?? { verdict: 'allow' };
  } catch (cause) {
    const line = `The guard failed: ${(cause as Error).message}`;
    link.emit({ t: 'log', stream: 'driver', line, cutBytes: 0 });
    verdict = { verdict: 'deny', message: 'makima could not check this call; try again later.' };
  }
  if (verdict.verdict === 'deny') turn.denied.add(toolId);
  link.writeLine(success(requestId, hookOutput(verdict)));
}

function hookOutput(verdict: GuardVerdict): Json {
  const output: Record<string, unknown> = {
    hookEventName: 'PreToolUse',
    permissionDecision: verdict.verdict,
  };
  if (verdict.verdict === 'deny') output.permissionDecisionReason = verdict.message;
  if (verdict.verdict === 'allow' && isJson(verdict.input)) output.updatedInput = verdict.input;
  return { hookSpecificOutput: output };
}

function success(requestId: string, response: Json): string {
  const body = { subtype: 'success', request_id: requestId, response };
  return JSON.stringify({ type: 'control_response', response: body });
}
