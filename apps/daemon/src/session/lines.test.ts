/** Events of an agent become lines of output, cut where they are too long. */
import { describe, expect, it } from 'vitest';
import { zOutputLine } from '@makima/contracts/socket/reports';
import type { AgentEventBody } from '../driver/events.ts';
import { cleanText, lineOf, ownLine } from './lines.ts';

const line = (body: AgentEventBody) => lineOf({ ...body, seq: 1, atMs: 0, runId: 'r' });
const text = (words: string): AgentEventBody => ({
  t: 'text',
  messageId: 'm',
  text: words,
  delta: false,
  thinking: false,
  parentTool: null,
});

describe('a line of output', () => {
  it('fits the wire for every kind of event that is something to read', () => {
    const error = { kind: 'server', status: 529, message: 'busy' } as const;
    const bodies: AgentEventBody[] = [
      text('hello'),
      { ...(text('hm') as Extract<AgentEventBody, { t: 'text' }>), thinking: true },
      {
        t: 'started',
        sessionId: 's',
        model: 'x',
        tools: [],
        servers: [],
        version: '1',
        resumed: true,
      },
      {
        t: 'tool_start',
        toolId: 't',
        name: 'Bash',
        kind: 'shell',
        input: { a: 1 },
        title: 'ls',
        parentTool: null,
      },
      { t: 'tool_end', toolId: 't', ok: false, output: 'no', truncated: true, cause: 'finished' },
      { t: 'permission', requestId: 'r', toolId: null, tool: 'Bash', input: {}, reason: null },
      { t: 'retry', attempt: 1, max: 3, delayMs: 5, error },
      { t: 'limit', status: 'rejected', window: null, utilization: null, resetsAtMs: 0 },
      { t: 'limit', status: 'warning', window: null, utilization: 0.9, resetsAtMs: null },
      { t: 'turn_end', outcome: 'completed', text: 'fine', error: null, deferred: null },
      { t: 'turn_end', outcome: 'failed', text: '', error, deferred: null },
      { t: 'stalled', silentMs: 9000, count: 1 },
      { t: 'compacted' },
      { t: 'log', stream: 'stderr', line: 'oops', cutBytes: 7 },
      {
        t: 'question',
        requestId: 'r',
        toolId: null,
        questions: [{ id: 'q', text: 'Which?', options: [], multi: false, free: true }],
      },
    ];
    for (const body of bodies) expect(zOutputLine.safeParse(line(body)).error).toBeUndefined();
    expect(line(bodies[4] as AgentEventBody)).toMatchObject({
      content: 'no… [shortened]',
      isError: true,
    });
  });

  it('is none for what is nothing to read', () => {
    expect(
      line({ ...(text('he') as Extract<AgentEventBody, { t: 'text' }>), delta: true }),
    ).toBeNull();
    expect(line({ t: 'state', state: 'idle' })).toBeNull();
    expect(line({ t: 'exit', code: 0, signal: null, expected: true })).toBeNull();
  });

  it('is clean, bounded, and without the shapes of credentials', () => {
    const github = `ghp_${'a'.repeat(36)}`;
    expect(line(text(`a\0b \ud800 ${github}`))?.content).toBe('a\ufffdb \ufffd [redacted:github]');
    const cut = cleanText('é'.repeat(100_000));
    expect(Buffer.byteLength(cut)).toBeLessThan(65_536 + 40);
    expect(cut).toMatch(/é… \[\d+ bytes cut\]$/);
    const big = { text: 'y'.repeat(50_000), key: github };
    const tool = line({
      t: 'tool_start',
      toolId: 't',
      name: 'Write',
      kind: 'edit',
      input: big,
      title: 'w',
      parentTool: null,
    });
    expect(JSON.stringify(tool?.toolInput).length).toBeLessThan(20_000);
    expect(JSON.stringify(tool?.toolInput)).not.toContain(github);
  });

  it('may be the daemon’s own', () => {
    expect(zOutputLine.safeParse(ownLine('dropped', 'x')).success).toBe(true);
  });
});
