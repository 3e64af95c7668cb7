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
  const turnEnds = () => events.filter(({ t }) => t === 'turn_end');
  const ends = () => turnEnds().length;
  const item = (more: Json) => tell('item/completed', { item: more });
  const begin = (id: string) => tell('turn/started', { turn: { id } });
  const end = (id: string, status = 'completed') =>
    tell('turn/completed', { turn: { id, status } });
  const read = (clientId: string) => {
    const payload = { type: 'item_completed', item: { type: 'UserMessage', client_id: clientId } };
    appendFileSync(file, `${JSON.stringify({ payload })}\n`);
    item({ type: 'userMessage', id: clientId, clientId });
  };
  const speak = (text = 'Done.') => {
    tell('item/started', { item: { type: 'agentMessage', id: 'words' } });
    item({ type: 'agentMessage', id: 'words', text });
  };
  const late = (id: string) => {
    dialect.message(message(id), 'next');
    answer('turn/start', { turn: { id: 'turn-1' } });
    read(id);
  };
  const beginReminded = () => {
    begin('turn-2');
    item({ type: 'userMessage', id: 'reminder', clientId: null });
  };
  const refuse = () => hear({ id: asked.at(-1)?.id, error: { message: 'no' } });

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
    late('b');
    end('turn-1');
    expect(ends()).toBe(0);
    expect(said()).toEqual(['text of a', 'text of b', expect.stringContaining('message above')]);
    beginReminded();
    speak();
    end('turn-2');
    expect(turnEnds()).toMatchObject([{ outcome: 'completed', text: 'Done.' }]);
    expect(said()).toHaveLength(3);
    expect(told().filter((line) => line.startsWith('b '))).toEqual([
      'b queued',
      'b delivered',
      'b done',
    ]);
  });

  it('is not told of twice to a model that says nothing', () => {
    late('b');
    end('turn-1');
    expect(ends()).toBe(0);
    beginReminded();
    end('turn-2');
    expect(ends()).toBe(1);
    expect(said()).toHaveLength(3);
  });

  it('is not taken for one when it began the turn, which the model ended without a word', () => {
    end('turn-1');
    expect(ends()).toBe(1);
    expect(said()).toEqual(['text of a']);
  });

  const complete = 'All is there.\nTASK COMPLETE';
  it.each([
    ['The answer is 4.', '', 'The answer is 4.'],
    ['The answer is 4.', 'Noted.', 'The answer is 4.\n\nNoted.'],
    ['', 'Noted.', 'Noted.'],
    [complete, '', complete],
    [complete, 'I will add it next.', `${complete}\n\nI will add it next.`],
    [complete, `More.\nTASK COMPLETE`, `${complete}\n\nMore.\nTASK COMPLETE`],
  ])('leaves the turn its result: %j, then %j', (first, second, text) => {
    if (first !== '') speak(first);
    late('b');
    end('turn-1');
    const asksAgain = said().at(-1)?.endsWith('a line that says only TASK COMPLETE.');
    expect(asksAgain).toBe(first === complete);
    beginReminded();
    if (second !== '') speak(second);
    end('turn-2');
    expect(turnEnds()).toMatchObject([{ outcome: 'completed', text }]);
    // It is that turn's alone.
    begin('turn-3');
    speak('Next.');
    end('turn-3');
    expect(turnEnds()[1]).toMatchObject({ text: 'Next.' });
  });

  it('stands where it is when the turn was broken off, or another message follows', async () => {
    late('z');
    end('turn-1', 'interrupted');
    expect(ends()).toBe(1);
    dialect.message(message('b'), 'next');
    answer('turn/start', { turn: { id: 'turn-2' } });
    begin('turn-2');
    read('b');
    speak();
    late('y');
    dialect.message(message('c'), 'later');
    end('turn-2');
    expect(ends()).toBe(2);
    await turnOfLoop();
    expect(said().join()).toBe('text of a,text of z,text of b,text of y,text of c');
  });

  it('leaves the turn its end when Codex does not take the word to read it', () => {
    const used = { total: { inputTokens: 9 }, last: { inputTokens: 9 } };
    tell('thread/tokenUsage/updated', { tokenUsage: used });
    speak('The answer is 4.');
    late('b');
    end('turn-1');
    refuse();
    const [first] = turnEnds();
    expect(first).toMatchObject({ outcome: 'completed', text: 'The answer is 4.', error: null });
    expect(told().filter((line) => line === 'b done')).toHaveLength(1);

    // One that would have begun a turn of its own fails it.
    dialect.message(message('c'), 'next');
    refuse();
    expect(turnEnds()).toMatchObject([first, { outcome: 'failed' }]);
    expect(told().filter((line) => line === 'usage')).toHaveLength(1);
  });
});
