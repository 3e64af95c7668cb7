/**
 * OpenAI Chat Completions (`POST …/chat/completions`), as a stream of chunks and as one JSON body. Many houses
 * speak it; opencode does with any that is configured as OpenAI-compatible.
 *
 * Law: the shapes that the real ones send, with token counts that never change.
 */
import type { Json } from './json.ts';
import { asJson, list, pieces, textOf } from './json.ts';
import type { Answer, ModelProtocol, ServerEvent } from './protocol.ts';
import type { ModelMessage, ModelRequest } from './reply.ts';

/** Every answer costs the same. */
const usage = { prompt_tokens: 1200, completion_tokens: 50, total_tokens: 1250 };

export const openaiChat: ModelProtocol = {
  name: 'openai-chat',
  aside: () => null,
  read(incoming) {
    if (!incoming.path.endsWith('/chat/completions')) return null;
    const body = asJson(incoming.body);
    const messages = list(body.messages).map(readMessage);
    return {
      model: typeof body.model === 'string' ? body.model : 'unknown',
      stream: body.stream === true,
      tools: list(body.tools).map((tool) => String(asJson(tool.function).name)),
      messages,
      session: null,
    };
  },
  *stream(request, answer) {
    const chunk = (delta: Json, finish_reason: string | null = null): ServerEvent =>
      data(frame(request, answer, { choices: [{ index: 0, delta, finish_reason }] }));
    yield chunk({ role: 'assistant', content: '' });
    for (const reasoning_content of pieces(answer.thinking ?? ''))
      yield chunk({ reasoning_content });
    for (const content of pieces(answer.text ?? '')) yield chunk({ content });
    for (const [index, tool] of answer.tools.entries()) {
      const begin = { index, id: tool.id, type: 'function' };
      yield chunk({ tool_calls: [{ ...begin, function: { name: tool.name, arguments: '' } }] });
      for (const part of pieces(JSON.stringify(tool.input))) {
        yield chunk({ tool_calls: [{ index, function: { arguments: part } }] });
      }
    }
    yield chunk({}, finishReason(answer));
    yield data(frame(request, answer, { choices: [], usage }));
    yield { event: null, data: '[DONE]' };
  },
  whole: (request, answer) => ({
    ...frame(request, answer, {
      choices: [{ index: 0, message: messageOf(answer), finish_reason: finishReason(answer) }],
    }),
    object: 'chat.completion',
    usage,
  }),
  error: ({ type, message }) => ({ error: { message, type, param: null, code: type } }),
};

function frame(request: ModelRequest, answer: Answer, rest: Json): Json {
  const { model } = request;
  return {
    id: `chatcmpl-${answer.id}`,
    object: 'chat.completion.chunk',
    created: 0,
    model,
    ...rest,
  };
}

function data(body: Json): ServerEvent {
  return { event: null, data: JSON.stringify(body) };
}

function messageOf(answer: Answer): Json {
  const calls = answer.tools.map(({ id, name, input }) => ({
    id,
    type: 'function',
    function: { name, arguments: JSON.stringify(input) },
  }));
  const content = answer.text ?? null;
  return { role: 'assistant', content, ...(calls.length === 0 ? {} : { tool_calls: calls }) };
}

function finishReason(answer: Answer): string {
  return answer.tools.length > 0 ? 'tool_calls' : 'stop';
}

function readMessage(message: Json): ModelMessage {
  const role = String(message.role);
  const calls = list(message.tool_calls).map(
    (call) => `<calls ${String(asJson(call.function).name)}>`,
  );
  const text = [textOf(message.content), ...calls].filter((part) => part !== '').join('\n');
  if (role === 'assistant' || role === 'tool') return { role, text };
  return { role: role === 'user' ? 'user' : 'system', text };
}
