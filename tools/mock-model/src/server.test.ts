/** The mock model speaks Anthropic Messages, by script, with every fault that it offers. */
import { afterEach, describe, expect, it } from 'vitest';
import { placeOf } from './place.ts';
import type { Scripts } from './reply.ts';
import type { MockModel } from './server.ts';
import { startMockModel } from './server.ts';

let model: MockModel | null = null;
afterEach(async () => {
  await model?.close();
  model = null;
});

type Message = { role: 'user' | 'assistant'; content: unknown };

async function post(
  scripts: Scripts,
  body: { messages: Message[]; stream?: boolean; tools?: unknown[]; model?: string },
): Promise<Response> {
  model ??= await startMockModel({ scripts });
  return fetch(`${model.url}/v1/messages?beta=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-claude-code-session-id': 'session-1' },
    body: JSON.stringify({ model: 'm', tools: [{ name: 'Bash' }], ...body }),
  });
}

const ask = (name: string): Message => ({ role: 'user', content: `[[script:${name}]] go` });
const events = (text: string) =>
  text
    .split('\n\n')
    .filter((block) => block !== '')
    .map(
      (block) => JSON.parse(block.slice(block.indexOf('data: ') + 6)) as Record<string, unknown>,
    );

describe('answers', () => {
  const scripts: Scripts = {
    work: [
      {
        thinking: 'hm',
        text: 'I run a command that is long.',
        tools: [{ name: 'Bash', input: { command: 'ls' } }],
      },
      (request, place) => ({
        text: `step ${place.step}: ${request.messages.findLast((m) => m.role === 'tool')?.text ?? ''}`,
      }),
    ],
  };

  it('come as a stream of events that add up', async () => {
    const response = await post(scripts, { messages: [ask('work')], stream: true });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const told = events(await response.text());
    expect(told[0]).toMatchObject({
      type: 'message_start',
      message: { role: 'assistant', model: 'm' },
    });
    expect(told.at(-1)).toEqual({ type: 'message_stop' });
    expect(told.at(-2)).toMatchObject({
      type: 'message_delta',
      delta: { stop_reason: 'tool_use' },
    });
    const deltas = told.filter((event) => event.type === 'content_block_delta');
    const join = (key: string) =>
      deltas.map((event) => (event.delta as Record<string, string>)[key] ?? '').join('');
    expect(join('thinking')).toBe('hm');
    expect(join('text')).toBe('I run a command that is long.');
    expect(JSON.parse(join('partial_json'))).toEqual({ command: 'ls' });
    const count = (type: string) => told.filter((event) => event.type === type).length;
    expect(count('content_block_start')).toBe(3);
    expect(count('content_block_stop')).toBe(3);
  });

  it('come as one body, with the same ids whenever the same is asked', async () => {
    const once = await (await post(scripts, { messages: [ask('work')] })).json();
    const again = await (await post(scripts, { messages: [ask('work')] })).json();
    expect(again).toEqual(once);
    expect(once).toMatchObject({
      stop_reason: 'tool_use',
      content: [
        { type: 'thinking' },
        { type: 'text' },
        { type: 'tool_use', input: { command: 'ls' } },
      ],
    });
  });

  it('follow the steps of the script, and see the tools’ results', async () => {
    const messages: Message[] = [
      ask('work'),
      { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'Bash', input: {} }] },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'a file' }] },
        ],
      },
    ];
    const body = (await (await post(scripts, { messages })).json()) as { content: unknown };
    expect(body.content).toEqual([{ type: 'text', text: 'step 1: a file' }]);
    expect(model?.log).toMatchObject([
      { script: 'work', step: 1, side: false, protocol: 'anthropic' },
    ]);
    expect(model?.log[0]?.request.session).toBe('session-1');
  });

  it('are a title where no tools are offered, and plain where there is no script', async () => {
    const side = await (await post(scripts, { messages: [ask('work')], tools: [] })).json();
    expect(side).toMatchObject({ content: [{ text: 'A title' }] });
    const none = await (await post(scripts, { messages: [ask('nothing')] })).json();
    expect(none).toMatchObject({ content: [{ text: 'There is no script "nothing".' }] });
    const tokens = await fetch(`${model?.url}/v1/messages/count_tokens`, {
      method: 'POST',
      body: '{}',
    });
    expect(await tokens.json()).toEqual({ input_tokens: 1200 });
    expect((await fetch(`${model?.url}/v1/elsewhere`)).status).toBe(404);
  });
});

describe('faults', () => {
  const error = {
    status: 529,
    type: 'overloaded_error',
    message: 'Overloaded',
    retryAfterSeconds: 2,
  };
  const scripts: Scripts = {
    error: [{ error, headers: { 'x-limit': '1' } }],
    twice: [{ error, times: 2, text: 'now' }],
    cut: [{ text: 'cut off in the middle of it all', cutAfterEvents: 3 }],
    stuck: [{ text: 'never finished', hang: { afterEvents: 2 } }],
    silent: [{ hang: 'before_headers' }],
    slow: [{ text: 'slow', delayMs: 30, betweenEventsMs: 5 }],
  };

  it('are told with status, headers and the time to come back', async () => {
    const response = await post(scripts, { messages: [ask('error')] });
    expect(response.status).toBe(529);
    expect(response.headers.get('retry-after')).toBe('2');
    expect(response.headers.get('x-limit')).toBe('1');
    expect(await response.json()).toEqual({
      type: 'error',
      error: { type: 'overloaded_error', message: 'Overloaded' },
    });
  });

  it('pass after so many times', async () => {
    const states: number[] = [];
    for (let n = 0; n < 3; n += 1) {
      states.push((await post(scripts, { messages: [ask('twice')] })).status);
    }
    expect(states).toEqual([529, 529, 200]);
    expect(model?.log.map((logged) => logged.asked)).toEqual([0, 1, 2]);
  });

  it('cut the stream, or leave it open, or never begin it', async () => {
    const cut = await post(scripts, { messages: [ask('cut')], stream: true });
    expect(cut.status).toBe(200);
    await expect(cut.text()).rejects.toThrow();
    const stuck = await post(scripts, { messages: [ask('stuck')], stream: true });
    const reader = (stuck.body as ReadableStream<Uint8Array>).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('message_start');
    const seen = model?.seen((logged) => logged.script === 'silent');
    const silent = post(scripts, { messages: [ask('silent')] });
    expect((await seen)?.step).toBe(0);
    const closed = model?.close();
    await expect(silent).rejects.toThrow();
    await closed;
    model = null;
  });

  it('take their time', async () => {
    const since = performance.now();
    await (await post(scripts, { messages: [ask('slow')], stream: true })).text();
    expect(performance.now() - since).toBeGreaterThan(50);
  });
});

describe('placeOf', () => {
  it('counts turns of the assistant since the newest marker that a user set', () => {
    const user = (text: string) => ({ role: 'user' as const, text });
    const assistant = { role: 'assistant' as const, text: '' };
    const tool = { role: 'tool' as const, text: '[[script:not-this]]' };
    expect(placeOf([user('hello')])).toEqual({ script: null, step: 0 });
    expect(placeOf([user('[[script:a]] x [[script:b]]')])).toEqual({ script: 'b', step: 0 });
    expect(placeOf([user('[[script:a]]'), assistant, tool, assistant, assistant, tool])).toEqual({
      script: 'a',
      step: 2,
    });
    expect(placeOf([user('[[script:a]]'), assistant, user('[[script:c]]')])).toEqual({
      script: 'c',
      step: 0,
    });
  });
});
