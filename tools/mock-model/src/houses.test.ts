/** The mock model speaks OpenAI Chat and Gemini as it speaks Anthropic Messages. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Json } from './json.ts';
import { asJson, list, textOf } from './json.ts';
import type { Scripts } from './reply.ts';
import type { MockModel } from './server.ts';
import { startMockModel } from './server.ts';

let model: MockModel | null = null;
afterEach(async () => {
  await model?.close();
  model = null;
});

const scripts: Scripts = {
  work: [
    {
      thinking: 'hm',
      text: 'I run a command that is long.',
      tools: [{ name: 'shell', input: { command: 'ls -la /somewhere/far/away' } }],
    },
    (request, place) => ({
      text: `step ${place.step}: ${request.messages.findLast((m) => m.role === 'tool')?.text ?? ''}`,
    }),
  ],
  tired: [
    { error: { status: 429, type: 'rate_limit', message: 'Slow down.', retryAfterSeconds: 3600 } },
  ],
  once: [{ error: { status: 503, type: 'overloaded', message: 'Later.' }, times: 1, text: 'now' }],
};

async function post(path: string, body: Json): Promise<Response> {
  model ??= await startMockModel({ scripts });
  return fetch(`${model.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** The JSON of each event of a stream; `[DONE]` is left out. */
async function eventsOf(response: Response): Promise<readonly Json[]> {
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const data = (await response.text()).split('\n\n').map((block) => block.replace(/^data: /, ''));
  return data.filter((text) => text.startsWith('{')).map((text) => asJson(JSON.parse(text)));
}

describe('OpenAI Chat', () => {
  const system = { role: 'system', content: 'You work in /a.' };
  const ask = (name: string) => ({
    role: 'user',
    content: [{ type: 'text', text: `[[script:${name}]] go` }],
  });
  const tools = [{ type: 'function', function: { name: 'shell', parameters: {} } }];
  const chat = (messages: readonly Json[], more: Json = {}) =>
    post('/v1/chat/completions', { model: 'm', messages, tools, ...more });

  it('streams text, reasoning and calls in pieces that add up', async () => {
    const told = await eventsOf(await chat([system, ask('work')], { stream: true }));
    const deltas = told.flatMap(({ choices }) => list(choices)).map(({ delta }) => asJson(delta));
    const join = (key: string) => deltas.map((delta) => textOf(delta[key])).join('');
    expect(join('reasoning_content')).toBe('hm');
    expect(join('content')).toBe('I run a command that is long.');
    const calls = deltas
      .flatMap((delta) => list(delta.tool_calls))
      .map((call) => asJson(call.function));
    expect(calls[0]?.name).toBe('shell');
    const args = calls.map((call) => call.arguments).join('');
    expect(JSON.parse(args)).toEqual({ command: 'ls -la /somewhere/far/away' });
    expect(told.at(-2)).toMatchObject({ choices: [{ finish_reason: 'tool_calls' }] });
    expect(told.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 1200 } });
  });

  it('answers as one body, by the step of the script', async () => {
    const first = asJson(await (await chat([system, ask('work')])).json());
    const message = asJson(list(first.choices)[0]?.message);
    expect(first).toMatchObject({ object: 'chat.completion', usage: { completion_tokens: 50 } });
    expect(message.tool_calls).toMatchObject([{ function: { name: 'shell' } }]);
    const result = { role: 'tool', tool_call_id: 'x', content: 'a file' };
    const second = asJson(await (await chat([system, ask('work'), message, result])).json());
    expect(second.choices).toMatchObject([
      { message: { content: 'step 1: a file' }, finish_reason: 'stop' },
    ]);
    expect(model?.log.map(({ step, protocol }) => [step, protocol])).toEqual([
      [0, 'openai-chat'],
      [1, 'openai-chat'],
    ]);
  });

  it('fails as such houses do, and tells conversations apart by how they begin', async () => {
    const tired = await chat([system, ask('tired')]);
    expect([tired.status, tired.headers.get('retry-after')]).toEqual([429, '3600']);
    expect(await tired.json()).toMatchObject({
      error: { message: 'Slow down.', type: 'rate_limit' },
    });
    const there = { role: 'system', content: 'You work in /b.' };
    const states = [];
    for (const who of [system, system, there, there])
      states.push((await chat([who, ask('once')])).status);
    expect(states).toEqual([503, 200, 503, 200]);
  });
});

describe('Gemini', () => {
  const systemInstruction = { parts: [{ text: 'You work in /a.' }] };
  const ask = (name: string) => ({ role: 'user', parts: [{ text: `[[script:${name}]] go` }] });
  const tools = [{ functionDeclarations: [{ name: 'shell' }] }];
  const generate = (contents: readonly Json[], method = 'generateContent') =>
    post(`/v1beta/models/gemini-x:${method}`, { systemInstruction, contents, tools });

  it('streams text, thoughts and calls', async () => {
    const told = await eventsOf(await generate([ask('work')], 'streamGenerateContent?alt=sse'));
    const parts = told
      .flatMap(({ candidates }) => list(candidates))
      .flatMap(({ content }) => list(asJson(content).parts));
    const text = (thought: boolean) =>
      parts
        .filter((part) => (part.thought === true) === thought)
        .map(textOf)
        .join('');
    expect(text(true)).toBe('hm');
    expect(text(false)).toBe('I run a command that is long.');
    expect(parts.find((part) => part.functionCall !== undefined)?.functionCall).toMatchObject({
      name: 'shell',
      args: { command: 'ls -la /somewhere/far/away' },
    });
    expect(told.at(-1)).toMatchObject({
      candidates: [{ finishReason: 'STOP' }],
      usageMetadata: { promptTokenCount: 1200, candidatesTokenCount: 50 },
      modelVersion: 'gemini-x',
    });
  });

  it('answers as one body, by the step of the script', async () => {
    const first = asJson(await (await generate([ask('work')])).json());
    const content = asJson(list(first.candidates)[0]?.content);
    const response = { name: 'shell', response: { output: 'a file' } };
    const result = { role: 'user', parts: [{ functionResponse: response }] };
    const second = await (await generate([ask('work'), content, result])).json();
    expect(second).toMatchObject({
      candidates: [{ content: { parts: [{ text: 'step 1: a file' }] } }],
    });
    expect(model?.log.map(({ step, protocol }) => [step, protocol])).toEqual([
      [0, 'gemini'],
      [1, 'gemini'],
    ]);
  });

  it('fails as it does, with the time to come back in the body, and counts tokens', async () => {
    const tired = await generate([ask('tired')]);
    expect(tired.status).toBe(429);
    expect(await tired.json()).toMatchObject({
      error: {
        code: 429,
        status: 'RESOURCE_EXHAUSTED',
        message: 'Slow down.',
        details: [{ reason: 'rate_limit' }, { retryDelay: '3600s' }],
      },
    });
    expect(await (await generate([], 'countTokens')).json()).toEqual({ totalTokens: 1200 });
  });
});
