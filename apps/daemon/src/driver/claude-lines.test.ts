/** Lines of Claude Code as events: those that the real one does not say on demand. */
import { describe, expect, it } from 'vitest';
import type { ClaudeStory } from './claude-lines.ts';
import { readLine } from './claude-lines.ts';
import { claudeTurn } from './claude-turn.ts';
import type { AgentEventBody } from './events.ts';

function telling() {
  const events: AgentEventBody[] = [];
  const failures: Error[] = [];
  const turn = claudeTurn();
  const story: ClaudeStory = {
    link: {
      emit: (body) => events.push(body),
      writeLine: () => undefined,
      ready: () => undefined,
      fail: (error) => failures.push(error),
    },
    turn,
    sessionId: 's1',
    resumed: false,
    started: false,
    limited: false,
    retrying: false,
    blocks: new Map(),
    known: new Set(),
    read: new Set(),
  };
  return { events, failures, turn, read: (line: Record<string, unknown>) => readLine(story, line) };
}

const result = (more: Record<string, unknown>) => ({
  type: 'result',
  subtype: 'success',
  is_error: false,
  usage: { input_tokens: 1, output_tokens: 2, cache_read_input_tokens: 3 },
  modelUsage: {
    a: { inputTokens: 10, outputTokens: 20, contextWindow: 200_000 },
    b: { inputTokens: 1, outputTokens: 2, cacheCreationInputTokens: 5 },
  },
  total_cost_usd: 0.5,
  ...more,
});

describe('Claude Code’s lines', () => {
  it('tell a usage limit with its reset, and stay limited until the next turn', () => {
    const { events, read } = telling();
    const unifiedWindows = { five_hour: { utilization: 0.93 } };
    const info = { rateLimitType: 'five_hour', resetsAt: 1795222174, unifiedWindows };
    read({ type: 'rate_limit_event', rate_limit_info: { ...info, status: 'allowed' } });
    read({ type: 'rate_limit_event', rate_limit_info: { ...info, status: 'allowed_warning' } });
    read({ type: 'rate_limit_event', rate_limit_info: { ...info, status: 'rejected' } });
    read({ type: 'system', subtype: 'session_state_changed', state: 'idle' });
    read({ type: 'system', subtype: 'session_state_changed', state: 'running' });
    read({ type: 'system', subtype: 'session_state_changed', state: 'idle' });
    const limit = { t: 'limit', window: 'five_hour', utilization: 0.93, resetsAtMs: 1795222174000 };
    expect(events).toEqual([
      { ...limit, status: 'warning' },
      { ...limit, status: 'rejected' },
      { t: 'state', state: 'limited' },
      { t: 'state', state: 'working' },
      { t: 'state', state: 'idle' },
    ]);
  });

  it.each([
    [
      { terminal_reason: 'completed', result: 'yes' },
      { outcome: 'completed', text: 'yes', error: null },
    ],
    [
      { is_error: true, subtype: 'error_max_turns' },
      { outcome: 'max_turns', error: null },
    ],
    [{ is_error: true, subtype: 'error_max_budget_usd' }, { outcome: 'max_budget' }],
    [
      { is_error: true, terminal_reason: 'aborted_streaming' },
      { outcome: 'interrupted', error: null },
    ],
    [
      { is_error: true, terminal_reason: 'prompt_too_long', result: 'Prompt is too long' },
      { outcome: 'too_long', error: { kind: 'too_long' } },
    ],
    [
      {
        is_error: true,
        terminal_reason: 'api_error',
        api_error_status: 401,
        result: 'Invalid API key',
      },
      { outcome: 'failed', error: { kind: 'auth', status: 401, message: 'Invalid API key' } },
    ],
    [
      { is_error: true, terminal_reason: 'api_error', result: 'API Error: Connection error.' },
      { outcome: 'failed', error: { kind: 'network', status: null } },
    ],
    [
      {
        terminal_reason: 'tool_deferred',
        deferred_tool_use: { id: 't1', name: 'n', input: { a: 1 } },
      },
      { outcome: 'deferred', deferred: { toolId: 't1', name: 'n', input: { a: 1 } } },
    ],
    [{ is_error: true, errors: ['first', 'second'] }, { error: { message: 'first; second' } }],
  ])('judge a result %j', (line, expected) => {
    const { events, read } = telling();
    read(result(line));
    expect(events).toMatchObject([{ t: 'usage' }, { t: 'turn_end', ...expected }]);
  });

  it('tell a call as broken off in the turn alone that we ended', () => {
    const { events, read, turn } = telling();
    const failed = (id: string) => ({
      type: 'user',
      message: { content: [{ type: 'tool_result', tool_use_id: id, is_error: true }] },
    });
    read({ type: 'system', subtype: 'session_state_changed', state: 'running' });
    expect(turn.running).toBe(true);
    turn.interrupting = true;
    read(failed('t1'));
    read(result({ subtype: 'error_during_execution', is_error: true }));
    // The next turn begins at once, as a message waits.
    read(failed('t2'));
    read({ type: 'system', subtype: 'session_state_changed', state: 'idle' });
    expect(turn.running).toBe(false);
    const ends = events.flatMap((event) => (event.t === 'tool_end' ? [event] : []));
    expect(ends.map(({ toolId, cause }) => [toolId, cause])).toEqual([
      ['t1', 'aborted'],
      ['t2', 'finished'],
    ]);
  });

  it('count what was used, over all models', () => {
    const { events, read } = telling();
    read(result({}));
    expect(events[0]).toEqual({
      t: 'usage',
      turn: { input: 1, output: 2, cacheRead: 3, cacheWrite: 0 },
      total: { input: 11, output: 22, cacheRead: 0, cacheWrite: 5 },
      costUsd: 0.5,
      contextSize: 200_000,
    });
  });

  it('say when the conversation is not there', () => {
    const { failures, read } = telling();
    read(result({ is_error: true, errors: ['No conversation found with session ID: s1'] }));
    expect(failures).toMatchObject([{ details: { reason: 'no_conversation' } }]);
  });

  it('that nobody knows are told as they are, bounded; silent ones are left out', () => {
    const { events, read } = telling();
    read({ type: 'keep_alive' });
    read({ type: 'system', subtype: 'status', status: 'requesting' });
    read({ type: 'news_of_tomorrow', much: 'x'.repeat(5000) });
    read({ type: 'system', subtype: 'something_new' });
    read({});
    expect(events).toMatchObject([{ t: 'log' }, { t: 'log' }, { t: 'log', line: '{}' }]);
    expect((events[0] as { line: string }).line).toHaveLength(2000);
  });

  it('are read whatever is missing in them', () => {
    const types = [
      'system',
      'stream_event',
      'assistant',
      'user',
      'command_lifecycle',
      'tool_progress',
      'rate_limit_event',
      'transcript_mirror',
      'result',
    ];
    const odd = [undefined, null, 7, 'text', [], [null], {}, { content: [{ type: 'tool_use' }] }];
    const { read } = telling();
    for (const type of types) {
      for (const value of odd) {
        for (const key of ['message', 'event', 'entries', 'usage', 'rate_limit_info', 'subtype']) {
          expect(() => read({ type, [key]: value })).not.toThrow();
        }
      }
    }
  });

  it('tell progress, compaction, retries and sub-agents’ words', () => {
    const { events, read } = telling();
    read({
      type: 'tool_progress',
      tool_use_id: 't1-heartbeat-4',
      parent_tool_use_id: 't1',
      elapsed_time_seconds: 30,
    });
    read({
      type: 'system',
      subtype: 'task_progress',
      tool_use_id: 't2',
      summary: '25%',
      usage: { duration_ms: 33 },
    });
    read({ type: 'system', subtype: 'compact_boundary' });
    read({
      type: 'system',
      subtype: 'api_retry',
      attempt: 2,
      max_retries: 10,
      retry_delay_ms: 9,
      error_status: 529,
    });
    read({
      type: 'assistant',
      parent_tool_use_id: 't3',
      message: {
        id: 'm',
        model: 'x',
        content: [
          { type: 'thinking', thinking: 'hm' },
          { type: 'text', text: 'so' },
        ],
      },
    });
    expect(events).toEqual([
      { t: 'tool_progress', toolId: 't1', elapsedMs: 30_000, note: null },
      { t: 'tool_progress', toolId: 't2', elapsedMs: 33, note: '25%' },
      { t: 'compacted' },
      {
        t: 'retry',
        attempt: 2,
        max: 10,
        delayMs: 9,
        error: { kind: 'overloaded', status: 529, message: '' },
      },
      { t: 'state', state: 'retrying' },
      { t: 'state', state: 'working' },
      { t: 'text', messageId: 'm.0', text: 'hm', delta: false, thinking: true, parentTool: 't3' },
      { t: 'text', messageId: 'm.1', text: 'so', delta: false, thinking: false, parentTool: 't3' },
    ]);
  });
});
