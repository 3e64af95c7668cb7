/**
 * For acp.test.ts: an agent that speaks ACP, and does so badly. What it does wrong stands in its first argument
 * (for the start) and in what it is told (for a turn).
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Json } from './json.ts';
import { jsonOf, objectOf, objectsOf, textOf } from './json.ts';

const fault = process.argv[2] ?? '';
/** Sessions that it knows again, one name in each line. */
const memory = process.env.TEST_ACP_MEMORY ?? '';
const send = (message: Json) =>
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const fail = (id: unknown, code: number, message: string) => send({ id, error: { code, message } });

let session = '';
let pending: unknown = null;
const update = (body: Json) =>
  send({ method: 'session/update', params: { sessionId: session, update: body } });
const say = (text: string) =>
  update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } });
const tool = (toolCallId: string, more: Json, sessionUpdate = 'tool_call') =>
  update({ sessionUpdate, toolCallId, title: 'a tool', kind: 'execute', ...more });
const ask = (id: string, kinds: readonly string[]) =>
  send({
    id,
    method: 'session/request_permission',
    params: {
      sessionId: session,
      toolCall: { toolCallId: 'asked', title: 'rm -rf', kind: 'execute', status: 'pending' },
      options: kinds.map((kind) => ({ kind, optionId: kind, name: kind })),
    },
  });

/** What it does in a turn, by a word that it was told. */
const turns: Readonly<Record<string, (id: unknown) => void>> = {
  babble(id) {
    process.stdout.write('this is not JSON\n[1]\n\n');
    send({ id: 4711, result: {} });
    send({ method: 'session/elsewhere', params: {} });
    update({ sessionUpdate: 'something_new', content: 1 });
    update({ sessionUpdate: 'plan', entries: [{ content: 'Look', status: 'completed' }] });
    send({ id: 'fs-1', method: 'fs/read_text_file', params: { path: '/etc/passwd' } });
    say('I babbled.');
    send({ id, result: { stopReason: 'end_turn' } });
    send({ id, result: { stopReason: 'end_turn' } });
    say('Late.');
    tool('late', { status: 'in_progress' });
    send({ method: 'session/said_all', params: {} });
  },
  leave(id) {
    tool('open', { status: 'in_progress', rawInput: { command: 'sleep' } });
    tool('unwritten', { status: 'pending' });
    send({ id, result: { stopReason: 'end_turn' } });
  },
  crash: () => process.exit(3),
  deaf: () => tool('deaf', { status: 'in_progress' }),
  limited: (id) => fail(id, 429, 'You are out. Please retry after 3600s.'),
  refuse: (id) => send({ id, result: { stopReason: 'refusal' } }),
  long: (id) => send({ id, result: { stopReason: 'max_tokens' } }),
  turns: (id) => send({ id, result: { stopReason: 'max_turn_requests' } }),
  nothing: (id) => send({ id, result: 'what?' }),
  never: (id) => {
    pending = id;
    ask('never-1', ['reject_once', 'reject_always']);
  },
  may: (id) => {
    pending = id;
    ask('may-1', ['allow_always', 'allow_once', 'reject_once']);
  },
};

function prompt(id: unknown, params: Json): void {
  const text = objectsOf(params.prompt)
    .map((part) => textOf(part.text) ?? '')
    .join('');
  const word = /\bdo: (\w+)\b/.exec(text.split('\n').at(-1) ?? '')?.[1];
  const act = word === undefined ? undefined : turns[word];
  if (act !== undefined) return act(id);
  say(`Heard: ${text}`);
  send({ id, result: { stopReason: 'end_turn', usage: { inputTokens: 3, outputTokens: 2 } } });
}

const methods: Readonly<Record<string, (id: unknown, params: Json) => void>> = {
  initialize(id) {
    if (fault === 'silent') return;
    send({
      id,
      result: {
        protocolVersion: fault === 'version' ? 99 : 1,
        agentCapabilities: {
          loadSession: fault !== 'forgetful',
          mcpCapabilities: { http: fault !== 'toolless' },
        },
        agentInfo: { name: 'test', version: '0.0.1' },
      },
    });
  },
  'session/new'(id) {
    if (fault === 'signed-out') return fail(id, -32_000, 'Authentication required');
    if (fault === 'nameless') return void send({ id, result: {} });
    session = randomUUID();
    if (memory !== '') appendFileSync(memory, `${session}\n`);
    send({ id, result: { sessionId: session } });
  },
  'session/load'(id, params) {
    session = textOf(params.sessionId) ?? '';
    const known = existsSync(memory) ? readFileSync(memory, 'utf8').split('\n') : [];
    if (!known.includes(session)) return fail(id, -32_603, 'No such session.');
    update({ sessionUpdate: 'user_message_chunk', content: { type: 'text', text: 'the past' } });
    say('The past again.');
    send({ id, result: {} });
  },
  'session/prompt': prompt,
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const message = jsonOf(line) ?? {};
  const method = textOf(message.method);
  if (method !== null) {
    methods[method]?.(message.id, objectOf(message.params));
    return;
  }
  // An answer to a request of ours: what was chosen is said again.
  const { outcome } = objectOf(message.result);
  if (pending === null || outcome === undefined) {
    process.stderr.write(`answered: ${JSON.stringify(message.error ?? message.result)}\n`);
    return;
  }
  const { outcome: how, optionId } = objectOf(outcome);
  say(`Chosen: ${textOf(optionId) ?? textOf(how) ?? ''}`);
  send({ id: pending, result: { stopReason: 'end_turn' } });
  pending = null;
});
