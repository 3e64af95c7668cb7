/** The mock model speaks OpenAI Responses as it speaks Anthropic Messages. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Json } from './json.ts';
import { asJson, list } from './json.ts';
import type { Scripts } from './reply.ts';
import type { MockModel } from './server.ts';
import { startMockModel } from './server.ts';

let model: MockModel | null = null;
afterEach(async () => {
  await model?.close();
  model = null;
});

const input = { cmd: 'ls -la /somewhere/far/away' };
const scripts: Scripts = {
  work: [
    {
      thinking: 'hm',
      text: 'I run a command that is long.',
      tools: [
        { name: 'exec_command', input },
        { name: 'mcp__makima__makima_echo', input: { value: 'ping' } },
      ],
    },
    (request, place) => ({
      text: `step ${place.step}: ${request.messages.findLast((m) => m.role === 'tool')?.text ?? ''}`,
    }),
  ],
  used_up: [
    {
      error: {
        status: 429,
        type: 'usage_limit_reached',
        message: 'Used up.',
        more: { resets_at: 7 },
      },
    },
  ],
};

const tools = [
  { type: 'function', name: 'exec_command' },
  { type: 'namespace', name: 'mcp__makima', tools: [{ type: 'function', name: 'makima_echo' }] },
  { type: 'web_search' },
];

async function post(said: readonly Json[] | string, more: Json = {}): Promise<Response> {
  model ??= await startMockModel({ scripts });
  return fetch(`${model.url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'session-id': 'session-1' },
    body: JSON.stringify({ model: 'm', input: said, tools, ...more }),
  });
}

const ask = (name: string) => ({
  type: 'message',
  role: 'user',
  content: [{ type: 'input_text', text: `[[script:${name}]] go` }],
});

describe('OpenAI Responses', () => {
  it('streams items in pieces that add up, numbered, tools of a server under its namespace', async () => {
    const response = await post([ask('work')], { stream: true });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const blocks = (await response.text()).split('\n\n').filter((block) => block !== '');
    const told = blocks.map((block) =>
      asJson(JSON.parse(block.slice(block.indexOf('data: ') + 6))),
    );
    expect(blocks.map((block) => /^event: (.*)$/m.exec(block)?.[1])).toEqual(
      told.map(({ type }) => type),
    );
    expect(told.map((event) => event.sequence_number)).toEqual(told.map((_, index) => index));
    const deltas = (type: string) =>
      told.filter((event) => event.type === type).map((event) => String(event.delta));
    expect(deltas('response.reasoning_summary_text.delta')).toEqual(['hm']);
    expect(deltas('response.output_text.delta').join('')).toBe('I run a command that is long.');
    const [first = '', ...rest] = deltas('response.function_call_arguments.delta');
    expect(first.length).toBeLessThan(JSON.stringify(input).length);
    expect([first, ...rest].join('')).toBe(`${JSON.stringify(input)}{"value":"ping"}`);
    const last = asJson(told.at(-1)?.response);
    expect(last).toMatchObject({ status: 'completed', usage: { total_tokens: 1250 } });
    expect(list(last.output)).toMatchObject([
      { type: 'reasoning' },
      { type: 'message', content: [{ text: 'I run a command that is long.' }] },
      { type: 'function_call', name: 'exec_command', arguments: JSON.stringify(input) },
      { type: 'function_call', namespace: 'mcp__makima', name: 'makima_echo' },
    ]);
  });

  it('comes as one body, with the same ids whenever the same is asked', async () => {
    const once = await (await post([ask('work')])).json();
    expect(await (await post([ask('work')])).json()).toEqual(once);
    const { tools: offered, session } = model?.log[0]?.request ?? { tools: [], session: null };
    expect(offered).toEqual(['exec_command', 'mcp__makima__makima_echo']);
    expect(session).toBe('session-1');
  });

  it('finds its place among calls, their results and instructions', async () => {
    const said = [
      { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'Be good.' }] },
      ask('work'),
      { type: 'reasoning', summary: [] },
      { type: 'function_call', call_id: 'c', name: 'exec_command', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c', output: 'a file' },
    ];
    const body = asJson(await (await post(said)).json());
    expect(body.output).toMatchObject([{ content: [{ text: 'step 1: a file' }] }]);
    const roles = model?.log[0]?.request.messages.map(({ role }) => role);
    expect(roles).toEqual(['system', 'user', 'assistant', 'tool']);
    expect(asJson(await (await post('hello')).json()).status).toBe('completed');
  });

  it('tells errors with all their fields, and has no sockets', async () => {
    const response = await post([ask('used_up')]);
    expect(response.status).toBe(429);
    const error = { type: 'usage_limit_reached', message: 'Used up.', code: null, resets_at: 7 };
    expect(await response.json()).toEqual({ error });
    const socket = new WebSocket(`${model?.url.replace('http', 'ws')}/v1/responses`);
    await new Promise<void>((resolve) => {
      socket.addEventListener('error', () => resolve(), { once: true });
    });
    expect(model?.log).toHaveLength(1);
  });
});
