/**
 * Anthropic Messages (`POST /v1/messages`), as a stream of events and as one JSON body.
 *
 * Law: the shapes that the real one sends, with token counts that never change.
 */
import type { Json } from './json.ts';
import { asJson, list, pieces, textOf } from './json.ts';
import type { Answer, Incoming, ModelProtocol, ServerEvent } from './protocol.ts';
import type { ModelMessage, ModelRequest } from './reply.ts';

/** Every answer costs the same. */
const usage = { input_tokens: 1200, output_tokens: 50 };

export const anthropic: ModelProtocol = {
  name: 'anthropic',
  aside: ({ path }) =>
    path.endsWith('/count_tokens') ? { input_tokens: usage.input_tokens } : null,
  read(incoming) {
    if (!incoming.path.endsWith('/v1/messages')) return null;
    const body = asJson(incoming.body);
    return {
      model: typeof body.model === 'string' ? body.model : 'unknown',
      stream: body.stream === true,
      tools: list(body.tools)
        .filter((tool) => tool.defer_loading !== true)
        .map((tool) => String(tool.name)),
      messages: list(body.messages).flatMap(readMessage),
      session: sessionOf(incoming),
    };
  },
  *stream(request, answer) {
    const message = { ...messageOf(request, answer), content: [], stop_reason: null };
    yield event('message_start', {
      message: { ...message, usage: { ...usage, output_tokens: 1 } },
    });
    for (const [index, block] of blocksOf(answer).entries()) yield* streamBlock(index, block);
    yield event('message_delta', {
      delta: { stop_reason: stopReason(answer), stop_sequence: null },
      usage,
    });
    yield event('message_stop', {});
  },
  whole: (request, answer) => ({
    ...messageOf(request, answer),
    content: blocksOf(answer),
    stop_reason: stopReason(answer),
    usage,
  }),
  error: ({ type, message }) => ({ type: 'error', error: { type, message } }),
};

function event(type: string, body: Json): ServerEvent {
  return { event: type, data: JSON.stringify({ type, ...body }) };
}

function* streamBlock(index: number, block: Json): Iterable<ServerEvent> {
  const start = (content_block: Json) => event('content_block_start', { index, content_block });
  const delta = (body: Json) => event('content_block_delta', { index, delta: body });
  if (block.type === 'thinking') {
    yield start({ type: 'thinking', thinking: '', signature: '' });
    yield delta({ type: 'thinking_delta', thinking: block.thinking });
    yield delta({ type: 'signature_delta', signature: block.signature });
  } else if (block.type === 'text') {
    yield start({ type: 'text', text: '' });
    for (const text of pieces(String(block.text))) yield delta({ type: 'text_delta', text });
  } else {
    yield start({ type: 'tool_use', id: block.id, name: block.name, input: {} });
    for (const partial_json of pieces(JSON.stringify(block.input))) {
      yield delta({ type: 'input_json_delta', partial_json });
    }
  }
  yield event('content_block_stop', { index });
}

function blocksOf(answer: Answer): readonly Json[] {
  const blocks: Json[] = [];
  if (answer.thinking !== undefined) {
    blocks.push({ type: 'thinking', thinking: answer.thinking, signature: 'c2lnbmVk' });
  }
  if (answer.text !== undefined) blocks.push({ type: 'text', text: answer.text });
  for (const { id, name, input } of answer.tools)
    blocks.push({ type: 'tool_use', id, name, input });
  return blocks;
}

function messageOf(request: ModelRequest, answer: Answer): Json {
  return {
    id: `msg_${answer.id}`,
    type: 'message',
    role: 'assistant',
    model: request.model,
    stop_sequence: null,
  };
}

function stopReason(answer: Answer): string {
  return answer.tools.length > 0 ? 'tool_use' : 'end_turn';
}

/** Tool results come inside user messages; they are messages of their own here. */
function readMessage(message: Json): readonly ModelMessage[] {
  const role = message.role === 'assistant' ? 'assistant' : 'user';
  if (typeof message.content === 'string') return [{ role, text: message.content }];
  const parts = list(message.content);
  const results = parts
    .filter((part) => part.type === 'tool_result')
    .map((part): ModelMessage => ({ role: 'tool', text: textOf(part.content) }));
  const rest = parts.filter((part) => part.type !== 'tool_result');
  if (rest.length === 0) return results;
  const text = rest
    .map((part) => (part.type === 'tool_use' ? `<calls ${String(part.name)}>` : textOf(part)))
    .join('\n');
  return [...results, { role, text }];
}

function sessionOf(incoming: Incoming): string | null {
  const header = incoming.headers['x-claude-code-session-id'];
  return typeof header === 'string' ? header : null;
}
