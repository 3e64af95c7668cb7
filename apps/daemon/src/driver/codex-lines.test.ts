/** Lines of Codex as events: those that the real one does not say on demand. */
import { describe, expect, it } from 'vitest';
import { codexLimits } from './codex-limits.ts';
import type { CodexStory, CodexTurnEnd } from './codex-lines.ts';
import { endTurn, readNotification } from './codex-lines.ts';
import { codexRequests } from './codex-requests.ts';
import { codexUsage } from './codex-usage.ts';
import type { DialectLink } from './dialect.ts';
import type { AgentEventBody } from './events.ts';
import type { Json } from './json.ts';

function telling() {
  const events: AgentEventBody[] = [];
  const written: Json[] = [];
  const heard: string[] = [];
  const link: DialectLink = {
    emit: (body) => events.push(body),
    writeLine: (line) => written.push(JSON.parse(line) as Json),
    ready: () => undefined,
    fail: () => undefined,
  };
  const requests = codexRequests(link, {
    inputOf: (toolId) => story.openTools.get(toolId),
    tell: (text) => heard.push(text),
  });
  const story: CodexStory = {
    link,
    limits: codexLimits(link),
    usage: codexUsage(),
    openTools: new Map(),
    threadId: 'ours',
    turnId: null,
    lastText: '',
    retrying: false,
    saidBefore: '',
    begun: false,
    unread: false,
    on: {
      turnOver: (end: CodexTurnEnd) => endTurn(story, end),
      turnTold: () => undefined,
      resolved: (rpcId) => requests.resolved(rpcId),
      messageSeen: (id) => heard.push(id),
    },
  };
  const read = (method: string, params: Json) => {
    readNotification(story, { method, params: { threadId: 'ours', ...params } });
  };
  return { events, written, heard, requests, story, read };
}

const turn = (more: Json) => ({ turn: { id: 'turn-1', ...more } });

describe('Codex’s lines', () => {
  it('tell of a limit that is near once, and of one that is reached with its reset', () => {
    const { events, read } = telling();
    const limits = (usedPercent: number) => ({
      rateLimits: {
        primary: { usedPercent, windowDurationMins: 300, resetsAt: 1_795_222_174 },
        secondary: { usedPercent: 12, windowDurationMins: 10_080, resetsAt: 1_795_900_000 },
      },
    });
    read('account/rateLimits/updated', { rateLimits: { primary: null, secondary: null } });
    read('account/rateLimits/updated', limits(50));
    read('account/rateLimits/updated', limits(93));
    read('account/rateLimits/updated', limits(94));
    read('account/rateLimits/updated', limits(100));
    read('turn/started', turn({}));
    const error = { message: 'Used up.', codexErrorInfo: 'usageLimitExceeded' };
    read('turn/completed', turn({ status: 'failed', error }));
    read('turn/started', turn({}));
    read('turn/completed', turn({ status: 'completed', error: null }));
    const limit = { t: 'limit', window: '5_hour', resetsAtMs: 1_795_222_174_000 };
    expect(events.filter(({ t }) => t === 'limit' || t === 'state')).toEqual([
      { ...limit, status: 'warning', utilization: 0.93 },
      { t: 'state', state: 'working' },
      { ...limit, status: 'rejected', utilization: 1 },
      { t: 'state', state: 'limited' },
      { t: 'state', state: 'working' },
      { t: 'state', state: 'idle' },
    ]);
  });

  it.each([
    ['contextWindowExceeded', 'too_long', { kind: 'too_long', status: null }],
    ['unauthorized', 'failed', { kind: 'auth', status: 401 }],
    ['serverOverloaded', 'failed', { kind: 'overloaded', status: null }],
    [{ httpConnectionFailed: { httpStatusCode: 503 } }, 'failed', { kind: 'server', status: 503 }],
    [{ httpConnectionFailed: { httpStatusCode: null } }, 'failed', { kind: 'network' }],
    ['other', 'failed', { kind: 'network', status: null }],
  ])('name what failed a turn: %j', (codexErrorInfo, outcome, error) => {
    const { events, read } = telling();
    read('turn/started', turn({}));
    const told = { message: 'stream disconnected', codexErrorInfo };
    read('turn/completed', turn({ status: 'failed', error: told }));
    expect(events.find(({ t }) => t === 'turn_end')).toMatchObject({ outcome, error });
  });

  it('count the tokens of a turn apart from those before it', () => {
    const { events, read } = telling();
    const tokens = (inputTokens: number, outputTokens: number) => ({
      inputTokens,
      cachedInputTokens: inputTokens / 10,
      outputTokens,
    });
    const use = (total: Json, last: Json) => {
      read('thread/tokenUsage/updated', { tokenUsage: { total, last, modelContextWindow: 1000 } });
    };
    read('turn/started', turn({}));
    use(tokens(500, 5), tokens(100, 1));
    use(tokens(600, 6), tokens(100, 1));
    read('turn/completed', turn({ status: 'completed' }));
    read('turn/started', turn({}));
    use(tokens(700, 7), tokens(100, 1));
    read('turn/completed', turn({ status: 'completed' }));
    read('turn/started', turn({}));
    read('turn/completed', turn({ status: 'interrupted' }));
    expect(events.filter(({ t }) => t === 'usage')).toMatchObject([
      { turn: { input: 180, output: 2, cacheRead: 20 }, total: { input: 540, output: 6 } },
      { turn: { input: 90, output: 1, cacheRead: 10 }, contextSize: 1000, costUsd: null },
    ]);
  });

  it('tell each call with its start and end, and close what a turn leaves open', () => {
    const { events, read } = telling();
    const item = (more: Json) => ({ item: { id: 'call-1', ...more } });
    read('turn/started', turn({}));
    const theirs = { type: 'mcpToolCall', server: 'theirs', tool: 'look', arguments: { a: 1 } };
    read('item/started', item(theirs));
    const failed = { ...theirs, status: 'failed', error: { message: 'No such thing.' } };
    read('item/completed', item(failed));
    read('item/completed', item({ type: 'webSearch', id: 'call-2', query: 'makima' }));
    read('item/started', item({ type: 'commandExecution', id: 'call-3', command: 'serve' }));
    read('turn/completed', turn({ status: 'completed' }));
    read('item/completed', item({ type: 'commandExecution', id: 'call-3', status: 'completed' }));
    expect(events.filter(({ t }) => t.startsWith('tool'))).toMatchObject([
      { t: 'tool_start', name: 'mcp__theirs__look', kind: 'mcp', input: { a: 1 } },
      { t: 'tool_end', ok: false, output: 'No such thing.', cause: 'finished' },
      { t: 'tool_start', toolId: 'call-2', title: 'webSearch: makima', kind: 'read' },
      { t: 'tool_end', toolId: 'call-2', ok: true },
      { t: 'tool_start', toolId: 'call-3', kind: 'shell', title: 'shell: serve' },
      { t: 'tool_end', toolId: 'call-3', ok: false, cause: 'unseen' },
    ]);
  });

  it('are kept when nobody knows them, and left out when they are of another conversation', () => {
    const { events, heard, read } = telling();
    read('something/new', { a: 1 });
    read('warning', { message: 'Mind the gap.' });
    const server = { name: 'theirs', error: 'no such program' };
    read('mcpServer/startupStatus/updated', { ...server, status: 'starting' });
    read('mcpServer/startupStatus/updated', { ...server, status: 'failed' });
    read('thread/status/changed', { status: { type: 'idle' } });
    read('item/completed', { item: { type: 'contextCompaction', id: 'c' } });
    read('item/completed', { item: { type: 'userMessage', id: 'u', clientId: 'm-1' } });
    read('item/completed', { item: { type: 'reasoning', id: 'r', summary: ['Hm.', 'So.'] } });
    read('turn/started', { threadId: 'another', ...turn({}) });
    expect(heard).toEqual(['m-1']);
    expect(events).toMatchObject([
      { t: 'log', line: expect.stringContaining('something/new') as string },
      { t: 'log', line: 'warning: Mind the gap.' },
      { t: 'log', line: 'The tool server theirs did not start: no such program' },
      { t: 'compacted' },
      { t: 'text', text: 'Hm.\nSo.', thinking: true, delta: false },
    ]);
  });
});

describe('Codex’s requests', () => {
  const ask = (id: number, method: string, params: Json = {}) => ({ id, method, params });

  it('that nobody can answer are refused at once', () => {
    const { requests, written } = telling();
    expect(requests.read(ask(1, 'mcpServer/elicitation/request'))).toBe(true);
    expect(requests.read(ask(2, 'item/tool/call'))).toBe(true);
    expect(requests.read({ method: 'turn/started', params: {} })).toBe(false);
    expect(written).toMatchObject([
      { id: 1, result: { action: 'decline' } },
      { id: 2, error: { code: -32601, message: 'makima does not answer item/tool/call' } },
    ]);
  });

  it('take no answer of another kind, and none that changes what was asked', () => {
    const { requests } = telling();
    const questions = [{ id: 'a', header: 'H', question: 'Which?', options: null }];
    requests.read(ask(1, 'item/tool/requestUserInput', { questions }));
    requests.read(ask(2, 'item/commandExecution/requestApproval', { command: 'ls' }));
    const yes = { kind: 'permission' as const, allow: true as const };
    expect(requests.answer('request-1', yes)).toBeNull();
    expect(requests.answer('request-2', { kind: 'question', answers: {} })).toBeNull();
    expect(requests.answer('request-2', { ...yes, input: { command: 'rm' } })).toBeNull();
    expect(requests.answer('request-2', yes)).toBe('{"id":2,"result":{"decision":"accept"}}');
    const words = { kind: 'question' as const, answers: { a: ['this', 'that'] } };
    expect(JSON.parse(requests.answer('request-1', words) ?? '')).toEqual({
      id: 1,
      result: { answers: { a: { answers: ['this', 'that'] } } },
    });
  });

  it('ask for leave to change files with the changes that their call told', () => {
    const { requests, events, read } = telling();
    const changes = [{ path: '/a', kind: { type: 'add' }, diff: 'hello' }];
    read('item/started', { item: { type: 'fileChange', id: 'call-1', changes } });
    requests.read(ask(1, 'item/fileChange/requestApproval', { itemId: 'call-1', reason: 'So.' }));
    const asked = { tool: 'apply_patch', toolId: 'call-1', input: { changes }, reason: 'So.' };
    expect(events.find(({ t }) => t === 'permission')).toMatchObject(asked);
  });

  it('are taken back when Codex or the turn’s end says so', () => {
    const { requests, events, read } = telling();
    requests.read(ask(1, 'item/fileChange/requestApproval'));
    requests.read(ask(2, 'item/fileChange/requestApproval'));
    read('serverRequest/resolved', { requestId: 1 });
    requests.turnOver();
    requests.turnOver();
    expect(events.filter(({ t }) => t === 'request_cancelled')).toEqual([
      { t: 'request_cancelled', requestId: 'request-1' },
      { t: 'request_cancelled', requestId: 'request-2' },
    ]);
  });
});
