/**
 * OpenAI Responses (`POST …/responses`), as a stream of events and as one JSON body.
 *
 * Law: the shapes that the real one sends, with token counts that never change. Tools of a namespace (an MCP
 * server) go by `<namespace>__<tool>` here and apart on the wire.
 */
import type { Json } from './json.ts';
import { asJson, list, pieces, textOf } from './json.ts';
import type { Answer, Incoming, ModelProtocol, ServerEvent } from './protocol.ts';
import type { ModelMessage, ModelRequest } from './reply.ts';

/** Every answer costs the same. */
const usage = {
  input_tokens: 1200,
  input_tokens_details: { cached_tokens: 200 },
  output_tokens: 50,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 1250,
};

export const responses: ModelProtocol = {
  name: 'responses',
  aside: () => null,
  read(incoming) {
    if (!incoming.path.endsWith('/responses')) return null;
    const body = asJson(incoming.body);
    return {
      model: typeof body.model === 'string' ? body.model : 'unknown',
      stream: body.stream === true,
      tools: list(body.tools).flatMap(toolNames),
      messages: inputOf(body.input).flatMap(readItem),
      session: sessionOf(incoming),
    };
  },
  *stream(request, answer) {
    const tell = counted();
    yield tell('response.created', { response: responseOf(request, answer, 'in_progress') });
    const items = itemsOf(answer);
    for (const [index, item] of items.entries()) yield* streamItem(tell, index, item);
    yield tell('response.completed', { response: wholeOf(request, answer) });
  },
  whole: wholeOf,
  error: ({ type, message, more }) => ({ error: { message, type, code: null, ...more } }),
};

type Tell = (type: string, body: Json) => ServerEvent;

/** Events carry their number. */
function counted(): Tell {
  let next = 0;
  return (type, body) => {
    const data = JSON.stringify({ type, sequence_number: next, ...body });
    next += 1;
    return { event: type, data };
  };
}

function* streamItem(tell: Tell, output_index: number, item: Json): Iterable<ServerEvent> {
  const at = { item_id: item.id, output_index };
  const begun = { ...item, status: 'in_progress' };
  if (item.type === 'message') {
    const [part] = list(item.content);
    const text = String(part?.text);
    const inPart = { ...at, content_index: 0 };
    yield tell('response.output_item.added', { output_index, item: { ...begun, content: [] } });
    yield tell('response.content_part.added', { ...inPart, part: { ...part, text: '' } });
    for (const delta of pieces(text))
      yield tell('response.output_text.delta', { ...inPart, delta });
    yield tell('response.output_text.done', { ...inPart, text });
  } else if (item.type === 'reasoning') {
    yield tell('response.output_item.added', { output_index, item: { ...begun, summary: [] } });
    const [part] = list(item.summary);
    const inPart = { ...at, summary_index: 0 };
    yield tell('response.reasoning_summary_part.added', { ...inPart, part: { ...part, text: '' } });
    yield tell('response.reasoning_summary_text.delta', { ...inPart, delta: part?.text });
  } else {
    const text = String(item.arguments);
    yield tell('response.output_item.added', { output_index, item: { ...begun, arguments: '' } });
    for (const delta of pieces(text)) {
      yield tell('response.function_call_arguments.delta', { ...at, delta });
    }
    yield tell('response.function_call_arguments.done', { ...at, arguments: text });
  }
  yield tell('response.output_item.done', { output_index, item });
}

function itemsOf(answer: Answer): readonly Json[] {
  const items: Json[] = [];
  const status = 'completed';
  if (answer.thinking !== undefined) {
    const summary = [{ type: 'summary_text', text: answer.thinking }];
    items.push({
      type: 'reasoning',
      id: `rs_${answer.id}`,
      summary,
      encrypted_content: 'c2lnbmVk',
    });
  }
  if (answer.text !== undefined) {
    const content = [{ type: 'output_text', text: answer.text, annotations: [] }];
    items.push({ type: 'message', id: `msg_${answer.id}`, status, role: 'assistant', content });
  }
  for (const { id, name, input } of answer.tools) {
    const call = { type: 'function_call', id: `fc_${id}`, call_id: id, status };
    items.push({ ...call, ...nameOf(name), arguments: JSON.stringify(input) });
  }
  return items;
}

/** `mcp__server__tool` is the tool of a namespace. */
function nameOf(name: string): Json {
  const [, namespace, tool] = /^(mcp__.+?)__(.+)$/.exec(name) ?? [];
  return namespace === undefined ? { name } : { namespace, name: tool };
}

function responseOf(request: ModelRequest, answer: Answer, status: string): Json {
  return {
    id: `resp_${answer.id}`,
    object: 'response',
    created_at: 1_700_000_000,
    model: request.model,
    status,
    output: [],
  };
}

function wholeOf(request: ModelRequest, answer: Answer): Json {
  return { ...responseOf(request, answer, 'completed'), output: itemsOf(answer), usage };
}

function toolNames(tool: Json): readonly string[] {
  if (tool.type !== 'namespace') return typeof tool.name === 'string' ? [tool.name] : [];
  return list(tool.tools).map((inner) => `${String(tool.name)}__${String(inner.name)}`);
}

function inputOf(input: unknown): readonly Json[] {
  return typeof input === 'string' ? [{ role: 'user', content: input }] : list(input);
}

function readItem(item: Json): readonly ModelMessage[] {
  const type = typeof item.type === 'string' ? item.type : 'message';
  if (type.endsWith('_output')) return [{ role: 'tool', text: textOf(item.output) }];
  if (type.endsWith('_call')) return [{ role: 'assistant', text: `<calls ${String(item.name)}>` }];
  if (type !== 'message') return [];
  const text = textOf(item.content);
  if (item.role === 'assistant' || item.role === 'user') return [{ role: item.role, text }];
  return [{ role: 'system', text }];
}

function sessionOf(incoming: Incoming): string | null {
  const header = incoming.headers['session-id'] ?? incoming.headers['session_id'];
  return typeof header === 'string' ? header : null;
}
