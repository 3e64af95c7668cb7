/** Messages for Codex: each run once, none lost, whichever of its answers comes late. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { CodexMail } from './codex-mail.ts';
import { codexDialect } from './codex-dialect.ts';
import { codexMail } from './codex-mail.ts';
import type { StartSpec } from './driver.ts';
import type { AgentEventBody } from './events.ts';
import type { Json } from './json.ts';

let handed: { id: string; taken: (turnId: string) => void }[];
let events: AgentEventBody[];
let working: boolean;
let interrupts: number;
let mail: CodexMail;

beforeEach(() => {
  [handed, events, working, interrupts] = [[], [], true, 0];
  mail = codexMail({
    link: {
      emit: (body) => events.push(body),
      writeLine: () => undefined,
      ready: () => undefined,
      fail: () => undefined,
    },
    known: ['old'],
    hand: ({ id }, taken) => handed.push({ id, taken }),
    working: () => working,
    interrupt: () => {
      interrupts += 1;
    },
  });
});

const message = (id: string) => ({ id, text: `text of ${id}` });
const told = () =>
  events.map((event) => (event.t === 'message' ? `${event.id} ${event.state}` : event.t));
const taken = (turnId: string) => handed.at(-1)?.taken(turnId);
const handedIds = () => handed.map(({ id }) => id);

describe('a message for Codex', () => {
  it('goes its way in three steps', () => {
    mail.post(message('a'), 'next');
    expect(told()).toEqual([]);
    taken('turn-1');
    mail.seen('a');
    expect(mail.waitsForFile()).toBe(true);
    mail.filed('a');
    expect(mail.waitsForFile()).toBe(false);
    mail.turnOver('turn-1');
    expect(told()).toEqual(['a queued', 'a delivered', 'a done']);
  });

  it('that the conversation knows is not given again', () => {
    mail.post(message('old'), 'next');
    mail.post(message('a'), 'next');
    taken('turn-1');
    mail.post(message('a'), 'next');
    expect(told()).toEqual(['old done', 'a queued', 'a queued']);
    expect(handedIds()).toEqual(['a']);
  });

  it('is given again when its turn was broken off before it was read', async () => {
    mail.post(message('a'), 'next');
    taken('turn-1');
    mail.turnOver('turn-1');
    expect(handedIds()).toEqual(['a']);
    await turnOfLoop();
    expect(handedIds()).toEqual(['a', 'a']);
    taken('turn-2');
    mail.filed('a');
    mail.turnOver('turn-2');
    await turnOfLoop();
    expect(told()).toEqual(['a queued', 'a delivered', 'a done']);
    expect(handedIds()).toEqual(['a', 'a']);
  });

  it('is given again when the answer that names its turn comes after the turn', async () => {
    mail.post(message('a'), 'next');
    mail.turnOver('turn-1');
    await turnOfLoop();
    expect(handedIds()).toEqual(['a']);
    taken('turn-1');
    await turnOfLoop();
    expect(handedIds()).toEqual(['a', 'a']);
  });

  it('is not given again when it began the next turn, nor when only the file is late', async () => {
    mail.post(message('a'), 'next');
    mail.turnOver('turn-1');
    taken('turn-2');
    await turnOfLoop();
    expect(handedIds()).toEqual(['a']);
    mail.seen('a');
    mail.turnOver('turn-2');
    await turnOfLoop();
    expect(handedIds()).toEqual(['a']);
  });

  it('for later is held until the turn is over, one that cannot wait comes first', async () => {
    mail.post(message('late'), 'later');
    mail.post(message('now'), 'now');
    expect(handedIds()).toEqual([]);
    expect(interrupts).toBe(1);
    expect(told()).toEqual(['late queued', 'now queued']);
    mail.turnOver('turn-1');
    await turnOfLoop();
    expect(handedIds()).toEqual(['now', 'late']);
  });

  it('for later is given at once when nothing runs', () => {
    working = false;
    mail.post(message('late'), 'later');
    mail.post(message('now'), 'now');
    expect(handedIds()).toEqual(['late', 'now']);
    expect(interrupts).toBe(0);
  });
});

describe('a message that Codex takes as its turn ends', () => {
  let asked: { id: number; method: string; params: Json }[];
  let dialect: ReturnType<typeof codexDialect>;
  const folder = mkdtempSync(join(tmpdir(), 'makima-codex-mail-'));
  const file = join(folder, 'rollout.jsonl');
  afterAll(() => rmSync(folder, { recursive: true }));

  const hear = (line: Json) => dialect.read(JSON.stringify(line));
  const tell = (method: string, params: Json) => hear({ method, params });
  const answer = (method: string, result: Json) =>
    hear({ id: asked.findLast((call) => call.method === method)?.id, result });
  const said = () =>
    asked
      .filter(({ method }) => method === 'turn/start')
      .map(({ params }) => (params.input as { text: string }[])[0]?.text);
  const ends = () => events.filter(({ t }) => t === 'turn_end').length;
  const item = (more: Json) => tell('item/completed', { item: more });
  const begin = (id: string) => tell('turn/started', { turn: { id } });
  const end = (id: string, status = 'completed') =>
    tell('turn/completed', { turn: { id, status } });
  const read = (clientId: string) => {
    const payload = { type: 'item_completed', item: { type: 'UserMessage', client_id: clientId } };
    appendFileSync(file, `${JSON.stringify({ payload })}\n`);
    item({ type: 'userMessage', id: clientId, clientId });
  };
  const speak = () => {
    tell('item/started', { item: { type: 'agentMessage', id: 'words' } });
    item({ type: 'agentMessage', id: 'words', text: 'Done.' });
  };

  beforeEach(() => {
    asked = [];
    writeFileSync(file, '');
    dialect = codexDialect(
      {
        emit: (body) => events.push(body),
        writeLine: (line) => asked.push(JSON.parse(line) as (typeof asked)[number]),
        ready: () => undefined,
        fail: () => undefined,
      },
      {
        spec: { cwd: '/', permission: 'bypass', sessionId: 's1' } as StartSpec,
        conversation: null,
      },
    );
    dialect.begin();
    answer('initialize', {});
    answer('account/read', {});
    answer('thread/start', { thread: { id: 'thread', path: file } });
    dialect.opening(message('a'));
    answer('turn/start', { turn: { id: 'turn-1' } });
    begin('turn-1');
    read('a');
  });

  it('is read before anybody hears of the end', () => {
    speak();
    dialect.message(message('b'), 'next');
    answer('turn/start', { turn: { id: 'turn-1' } });
    read('b');
    end('turn-1');
    expect(ends()).toBe(0);
    expect(said()).toEqual(['text of a', 'text of b', expect.stringContaining('message above')]);
    begin('turn-2');
    item({ type: 'userMessage', id: 'reminder', clientId: null });
    speak();
    end('turn-2');
    expect(ends()).toBe(1);
    expect(said()).toHaveLength(3);
    expect(told().filter((line) => line.startsWith('b '))).toEqual([
      'b queued',
      'b delivered',
      'b done',
    ]);
  });

  it('is not told of twice to a model that says nothing', () => {
    end('turn-1');
    expect(ends()).toBe(0);
    begin('turn-2');
    item({ type: 'userMessage', id: 'reminder', clientId: null });
    end('turn-2');
    expect(ends()).toBe(1);
    expect(said()).toHaveLength(2);
  });

  it('stands where it is when the turn was broken off, or another message follows', async () => {
    end('turn-1', 'interrupted');
    expect(ends()).toBe(1);
    dialect.message(message('b'), 'next');
    answer('turn/start', { turn: { id: 'turn-2' } });
    begin('turn-2');
    read('b');
    dialect.message(message('c'), 'later');
    end('turn-2');
    expect(ends()).toBe(2);
    await turnOfLoop();
    expect(said()).toEqual(['text of a', 'text of b', 'text of c']);
  });

  it('ends its turn with a failure when Codex does not take the word to read it', () => {
    end('turn-1');
    const { id } = asked.at(-1) ?? {};
    hear({ id, error: { message: 'no' } });
    expect(events.filter(({ t }) => t === 'turn_end')).toMatchObject([{ outcome: 'failed' }]);
  });
});
