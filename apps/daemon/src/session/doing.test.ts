/** Who only waits may be parked; in doubt an agent works. */
import { describe, expect, it } from 'vitest';
import type { AgentEvent, AgentEventBody } from '../driver/events.ts';
import { noteDoing, onlyWaits } from './doing.ts';

type Facts = Parameters<typeof onlyWaits>[0];

const caps = { park: true, resume: 'transcript' } as const;

/** An agent that has told these events. */
function after(...events: AgentEventBody[]): Facts {
  const doing: Facts['doing'] = { turn: true, tools: new Map() };
  for (const event of events) noteDoing(doing, event as AgentEvent);
  return {
    doing,
    agent: {} as Facts['agent'],
    asked: new Map(),
    ending: null,
    mailbox: { waiting: 0 } as Facts['mailbox'],
  };
}

const start = (name: string, toolId = name): AgentEventBody => ({
  t: 'tool_start',
  toolId,
  name,
  kind: 'mcp',
  input: {},
  title: name,
  parentTool: null,
});
const end = (toolId: string): AgentEventBody => ({
  t: 'tool_end',
  toolId,
  ok: true,
  output: '',
  truncated: false,
  cause: 'finished',
});
const working: AgentEventBody = { t: 'state', state: 'working' };
const turnEnd: AgentEventBody = {
  t: 'turn_end',
  outcome: 'completed',
  text: '',
  error: null,
  deferred: null,
};

describe('an agent only waits', () => {
  it.each(['makima_wait', 'makima_ask', 'makima_poll', 'makima_advance', 'AskUserQuestion'])(
    'while its one tool is %s',
    (name) => expect(onlyWaits(after(working, start(name)), caps)).toBe(true),
  );

  it('between two turns, and while a question of its own is open', () => {
    expect(onlyWaits(after(working, turnEnd), caps)).toBe(true);
    const asks = after(working);
    asks.asked.set('q', { requestId: 'q', kind: 'question', questionId: 'q0', answer: null });
    expect(onlyWaits(asks, caps)).toBe(true);
  });

  it('not while another tool runs, nor while it thinks', () => {
    expect(onlyWaits(after(working), caps)).toBe(false);
    expect(onlyWaits(after(working, start('Bash')), caps)).toBe(false);
    expect(onlyWaits(after(working, start('makima_wait'), start('Bash')), caps)).toBe(false);
    const done = after(working, start('makima_wait'), start('Bash'), end('Bash'));
    expect(onlyWaits(done, caps)).toBe(true);
    expect(onlyWaits(after(working, start('makima_wait'), end('makima_wait')), caps)).toBe(false);
    expect(onlyWaits(after(turnEnd, working), caps)).toBe(false);
  });

  it('not with mail to read, not before it runs, not when its end is decided', () => {
    const waits = after(turnEnd);
    expect(onlyWaits({ ...waits, mailbox: { waiting: 1 } as Facts['mailbox'] }, caps)).toBe(false);
    expect(onlyWaits({ ...waits, agent: null }, caps)).toBe(false);
    const ending = { outcome: 'done', summary: '', error: null, graceMs: 0 } as const;
    expect(onlyWaits({ ...waits, ending }, caps)).toBe(false);
  });

  it('never where its kind cannot go on later', () => {
    expect(onlyWaits(after(turnEnd), { ...caps, park: false })).toBe(false);
    expect(onlyWaits(after(turnEnd), { ...caps, resume: 'none' })).toBe(false);
  });
});
