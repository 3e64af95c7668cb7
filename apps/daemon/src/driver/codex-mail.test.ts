/** Messages for Codex: each run once, none lost, whichever of its answers comes late. */
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CodexMail } from './codex-mail.ts';
import { codexMail } from './codex-mail.ts';
import type { AgentEventBody } from './events.ts';

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
