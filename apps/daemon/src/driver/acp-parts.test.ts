/** The parts of the ACP driver that need no process: failures, seeds, settings with comments, Gemini's files. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf, mayPass } from './acp-failure.ts';
import { fileUnder, readyToLoad } from './acp-gemini-chats.ts';
import { linkOthers } from './acp-home.ts';
import type { RecordLine } from './acp-record.ts';
import { storyOf } from './acp-record.ts';
import { seedOf } from './acp-seed.ts';
import type { Json } from './json.ts';
import { jsoncOf, readSettings } from './jsonc.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'makima-acp-parts-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('a failed request', () => {
  const failed = (code: number, message: string, data?: unknown) =>
    failureOf(Object.assign(new Error(message), { code, data }));

  it.each([
    [failed(429, 'Slow down.'), { kind: 'rate_limit', status: 429 }],
    [failed(529, 'Overloaded'), { kind: 'overloaded', status: 529 }],
    [failed(503, 'Unavailable'), { kind: 'server', status: 503 }],
    [failed(500, 'terminated'), { kind: 'network', status: null }],
    [failed(-32_603, 'fetch failed'), { kind: 'network', status: null }],
    [failed(-32_000, 'Please sign in.'), { kind: 'auth', status: null }],
    [failed(-32_603, 'Internal error: Overloaded'), { kind: 'overloaded', status: null }],
    [
      failed(400, '{"error":{"code":400,"message":"Bad.","status":"INVALID_ARGUMENT"}}'),
      { kind: 'invalid', status: 400, message: 'Bad.' },
    ],
    [
      failed(-32_603, 'Internal error', { details: 'No such thing.' }),
      { kind: 'unknown', status: null, message: 'Internal error: No such thing.' },
    ],
    [failureOf('nothing that is known'), { kind: 'unknown', message: 'It failed.' }],
  ])('is one of the house of the model: %j', ({ error }, known) => {
    expect(error).toMatchObject(known);
  });

  it('tells when to come back, where it does', () => {
    const before = Date.now();
    const { againAtMs } = failed(429, 'Out.\nSuggested retry after 3600s.');
    expect(againAtMs).toBeGreaterThanOrEqual(before + 3_600_000);
    expect(againAtMs).toBeLessThan(before + 3_610_000);
    expect(failed(429, 'Out.').againAtMs).toBeNull();
  });

  it('may pass when another try can mend it', () => {
    const passing = [failed(429, ''), failed(502, ''), failed(529, ''), failed(1, 'ECONNRESET')];
    expect(passing.map(({ error }) => mayPass(error))).toEqual([true, true, true, true]);
    expect([failed(400, ''), failed(401, '')].map(({ error }) => mayPass(error))).toEqual([
      false,
      false,
    ]);
  });
});

describe('the words for a fresh conversation', () => {
  const total = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  const story: readonly RecordLine[] = [
    { t: 'opened', agentSession: 's', seeded: false },
    { t: 'user', id: '1', text: 'Build it.' },
    { t: 'call', toolId: 'a', title: 'shell: make', input: { command: 'make' } },
    { t: 'result', toolId: 'a', ok: false, output: 'no rule' },
    { t: 'agent', text: 'There is no rule.' },
    { t: 'over', id: '1', outcome: 'completed', total, costUsd: null },
  ];

  it('tell all that was said and done, in its order', () => {
    expect(seedOf(story)?.split('\n\n').slice(1)).toEqual([
      'User: Build it.',
      'You called a tool: shell: make {"command":"make"}',
      'It failed: no rule',
      'You: There is no rule.',
      '[End of the record. Now:]',
    ]);
    expect(seedOf(story.slice(0, 1))).toBeNull();
  });

  it('are bounded: the task and what is newest stay, and what is left out is said', () => {
    const many = Array.from({ length: 400 }, (_, n): RecordLine => {
      return { t: 'agent', text: `${n}: ${'x'.repeat(500)}` };
    });
    const seed = seedOf([...story, ...many]) ?? '';
    expect(seed.length).toBeLessThan(64_000);
    expect(seed).toContain('User: Build it.');
    expect(seed).toContain('You: 399: ');
    expect(seed).toMatch(/\[\d+ entries are left out here\.\]/);
    expect(seed).not.toContain('You: 100: ');
  });

  it('are made of lines of the record alone', () => {
    const lines = ['{"t":"user","id":"1","text":"a"}', '{"t":"strange"}', 'nothing', '[]'];
    expect(storyOf(lines)).toEqual([{ t: 'user', id: '1', text: 'a' }]);
  });
});

describe('settings as people write them', () => {
  it('may hold comments and commas at an end, and strings what they like', () => {
    const text = `// mine
      { "a": "http://x/*y*/,]", /* more
      lines */ "b": [1, 2, ], // c
      "c": { "d": "\\"//", }, }`;
    expect(jsoncOf(text)).toEqual({ a: 'http://x/*y*/,]', b: [1, 2], c: { d: '"//' } });
  });

  it('that are none are null', () => {
    expect(jsoncOf('{ "a": ')).toBeNull();
    expect(readSettings(join(root, 'none.json'))).toBeNull();
  });
});

describe('links to the person’s settings', () => {
  it('lead to all but those of the agent, and are made anew', () => {
    for (const name of ['git', 'gh', 'opencode'])
      mkdirSync(join(root, 'theirs', name), { recursive: true });
    mkdirSync(join(root, 'ours'));
    linkOthers(join(root, 'theirs'), join(root, 'ours'), 'opencode');
    linkOthers(join(root, 'theirs'), join(root, 'ours'), 'opencode');
    expect(readdirSync(join(root, 'ours')).toSorted()).toEqual(['gh', 'git']);
    linkOthers(join(root, 'nowhere'), join(root, 'ours'), '');
  });
});

describe('Gemini’s own record', () => {
  const sessionId = '178ab8d2-399c-42d3-b189-e6fcd236ec3d';
  const head = { sessionId, projectHash: 'h', startTime: 't', kind: 'main' };
  const context = { id: 'c', type: 'user', content: [{ text: '<session_context>\nHere.' }] };
  const user = { id: 'u', type: 'user', content: [{ text: 'Hello.' }] };
  const model = { id: 'm', type: 'gemini', content: 'Hi.' };
  const chats = () => join(root, 'tmp', 'work', 'chats');
  const write = (name: string, lines: readonly Json[]) => {
    mkdirSync(chats(), { recursive: true });
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    writeFileSync(join(chats(), name), text);
  };
  const read = () => {
    const [name = ''] = readdirSync(chats());
    const lines = readFileSync(join(chats(), name), 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line) as Json);
  };

  it('is carried out, marked at its end, and moved to where no new one comes', () => {
    fileUnder(root, '/some/where');
    write('session-2026-01-01T10-00-178ab8d2.jsonl', [
      head,
      { $set: { messages: [context] } },
      user,
      { ...model, content: 'H' },
      model,
      { id: 'gone', type: 'user', content: [{ text: 'Never mind.' }] },
      { $rewindTo: 'gone' },
      { $set: { lastUpdated: 'l' } },
    ]);
    write('session-2026-01-01T10-01-178ab8d2.jsonl', [head, { $set: { messages: [context] } }]);
    const end = readyToLoad(root, sessionId) ?? '';
    expect(readdirSync(chats())).toEqual(['session-2000-01-01T00-00-178ab8d2.jsonl']);
    const [first, ...messages] = read();
    expect(first).toMatchObject({ sessionId, projectHash: 'h', lastUpdated: 'l' });
    expect(messages.slice(0, 3)).toEqual([context, user, model]);
    expect(messages[3]).toMatchObject({ type: 'user', content: [{ text: end }] });
    // Made ready again, it has one end.
    expect(readyToLoad(root, sessionId)).not.toBe(end);
    expect(read()).toHaveLength(5);
  });

  it('is none where nothing was said, where it is another’s, or where there is no file', () => {
    expect(readyToLoad(root, sessionId)).toBeNull();
    write('session-2026-01-01T10-00-178ab8d2.jsonl', [head, { $set: { messages: [context] } }]);
    expect(readyToLoad(root, sessionId)).toBeNull();
    write('session-2026-01-01T10-00-178ab8d2.jsonl', [head, user]);
    expect(readyToLoad(root, '00000000-0000-0000-0000-000000000000')).toBeNull();
  });

  it('is filed under one name, whatever the directory', () => {
    for (const cwd of ['/some/where', '/else/where']) {
      fileUnder(root, cwd);
      const known = JSON.parse(readFileSync(join(root, 'projects.json'), 'utf8')) as Json;
      expect(known).toEqual({ projects: { [cwd]: 'work' } });
      expect(readFileSync(join(root, 'tmp', 'work', '.project_root'), 'utf8')).toBe(cwd);
    }
  });
});
