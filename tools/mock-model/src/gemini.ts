/**
 * Google's Gemini API (`…/models/<model>:generateContent` and `:streamGenerateContent`), as a stream and as
 * one JSON body.
 *
 * Law: the shapes that the real one sends, with token counts that never change.
 */
import type { Json } from './json.ts';
import { asJson, list, pieces, textOf } from './json.ts';
import type { Answer, ModelProtocol, ServerEvent } from './protocol.ts';
import type { ModelError, ModelMessage, ModelRequest } from './reply.ts';

/** Every answer costs the same. */
const usageMetadata = { promptTokenCount: 1200, candidatesTokenCount: 50, totalTokenCount: 1250 };

const statuses: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
};

export const gemini: ModelProtocol = {
  name: 'gemini',
  aside: ({ path }) =>
    path.endsWith(':countTokens') ? { totalTokens: usageMetadata.promptTokenCount } : null,
  read(incoming) {
    const [, model, streamed] =
      /\/models\/([^/:]+):(stream)?[gG]enerateContent$/.exec(incoming.path) ?? [];
    if (model === undefined) return null;
    const body = asJson(incoming.body);
    const messages = list(body.contents).flatMap(readContent);
    const system: ModelMessage = {
      role: 'system',
      text: textOf(asJson(body.systemInstruction).parts),
    };
    return {
      model,
      stream: streamed !== undefined,
      tools: list(body.tools).flatMap((tool) =>
        list(tool.functionDeclarations).map(({ name }) => String(name)),
      ),
      messages: [system, ...messages],
      session: null,
    };
  },
  *stream(request, answer) {
    for (const text of pieces(answer.thinking ?? '')) {
      yield event(request, answer, [{ text, thought: true }]);
    }
    for (const text of pieces(answer.text ?? '')) yield event(request, answer, [{ text }]);
    for (const part of callsOf(answer)) yield event(request, answer, [part]);
    yield event(request, answer, [{ text: '' }], 'STOP');
  },
  whole: (request, answer) =>
    bodyOf(
      request,
      answer,
      [...(answer.text === undefined ? [] : [{ text: answer.text }]), ...callsOf(answer)],
      'STOP',
    ),
  error: (error) => ({
    error: {
      code: error.status,
      message: error.message,
      status: statuses[error.status] ?? 'UNKNOWN',
      details: detailsOf(error),
    },
  }),
};

/** When to come back stands in the body, not in a header. */
function detailsOf({ type, retryAfterSeconds }: ModelError): readonly Json[] {
  const info = {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason: type,
    domain: 'mock',
  };
  if (retryAfterSeconds === undefined) return [info];
  const retryDelay = `${retryAfterSeconds}s`;
  return [info, { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay }];
}

function event(
  request: ModelRequest,
  answer: Answer,
  parts: readonly Json[],
  finishReason?: string,
): ServerEvent {
  return { event: null, data: JSON.stringify(bodyOf(request, answer, parts, finishReason)) };
}

function bodyOf(
  request: ModelRequest,
  answer: Answer,
  parts: readonly Json[],
  finishReason?: string,
): Json {
  const content = { role: 'model', parts };
  return {
    candidates: [{ content, index: 0, ...(finishReason === undefined ? {} : { finishReason }) }],
    usageMetadata,
    modelVersion: request.model,
    responseId: answer.id,
  };
}

function callsOf(answer: Answer): readonly Json[] {
  return answer.tools.map(({ id, name, input }) => ({ functionCall: { id, name, args: input } }));
}

/** Results of tools come as parts of what the user says; they are messages of their own here. */
function readContent(content: Json): readonly ModelMessage[] {
  const parts = list(content.parts);
  const results = parts
    .filter((part) => part.functionResponse !== undefined)
    .map((part): ModelMessage => {
      const response = asJson(asJson(part.functionResponse).response);
      const output = textOf(response.output ?? response.error);
      return { role: 'tool', text: output === '' ? JSON.stringify(response) : output };
    });
  const rest = parts.filter((part) => part.functionResponse === undefined);
  if (rest.length === 0) return results;
  const text = rest
    .map((part) =>
      part.functionCall === undefined
        ? textOf(part)
        : `<calls ${String(asJson(part.functionCall).name)}>`,
    )
    .join('\n');
  return [...results, { role: content.role === 'model' ? 'assistant' : 'user', text }];
}
