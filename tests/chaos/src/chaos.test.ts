// The parts of a chaos run that can be held to their word without one: timetable, options, links, figures.
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { checkLedger } from './ledger.ts';
import { bitesOf } from './faults/bites.ts';
import { faultNames, standardFaults } from './faults/catalogue.ts';
import type { Struck } from './faults/nemesis.ts';
import { openLink } from './house/link.ts';
import { spreadOf } from './measure/recovery.ts';
import { pause } from './pause.ts';
import { readChaosOptions } from './options.ts';
import { aimedAt, timetableOf } from './schedule.ts';

describe('the timetable', () => {
  const untilMs = 120_000;
  it('is the same for the same seed, and another for another', () => {
    const once7 = timetableOf(7, faultNames, { untilMs });
    expect(timetableOf(7, faultNames, { untilMs })).toEqual(once7);
    expect(timetableOf(8, faultNames, { untilMs })).not.toEqual(once7);
  });
  it('has every kind before any comes again, in order, within its time', () => {
    const all = timetableOf(3, faultNames, { untilMs });
    const firstRound = all.slice(0, faultNames.length).map(({ kind }) => kind);
    expect(new Set(firstRound).size).toBe(faultNames.length);
    expect(all.every(({ atMs }, n) => atMs >= (all[n - 1]?.atMs ?? 0) && atMs < untilMs)).toBe(
      true,
    );
    expect(timetableOf(3, [], { untilMs })).toEqual([]);
  });
  it('aims at one of those that are there', () => {
    expect([aimedAt(['a', 'b'], 0), aimedAt(['a', 'b'], 0.99), aimedAt([], 0.5)]).toEqual([
      'a',
      'b',
      undefined,
    ]);
  });
});

describe('options', () => {
  it('take kinds and rows, minutes and seconds', () => {
    expect(
      readChaosOptions(['--seed', '5', '--minutes', '2', '--only', 'api,agent']),
    ).toMatchObject({ seed: 5, seconds: 120, faults: ['api', 'agent'], rows: [] });
    expect(readChaosOptions(['--only', 'T62']).faults).toEqual(faultNames);
    expect(readChaosOptions([])).toMatchObject({
      faults: standardFaults,
      seconds: 60,
      contracts: 2,
    });
  });
  it('refuse what they do not know', () => {
    expect(() => readChaosOptions(['--only', 'meteor'])).toThrow('unknown: meteor');
    expect(() => readChaosOptions(['--only', ''])).toThrow('unknown');
    expect(() => readChaosOptions(['--seconds', 'x'])).toThrow('--seconds takes a number');
  });
});

describe('the verdict', () => {
  it('names a kind that never bit', async () => {
    const struck = (kind: Struck['kind'], bite: string | null): Struck => ({
      kind,
      at: 0,
      strike: { hit: '', evidence: () => undefined },
      bite: Promise.resolve(bite),
    });
    const bites = await bitesOf(
      [struck('api', 'was started again'), struck('agent', null)],
      new Set(['api', 'agent', 'flush']),
    );
    expect(bites).toEqual({
      struck: { api: 1, agent: 1 },
      bit: { api: 1 },
      toothless: ['agent struck 1 times and never bit', 'flush struck 0 times and never bit'],
    });
  });
  it('tells the middle, the tail and the worst', () => {
    const list = Array.from({ length: 100 }, (_, n) => 100 - n);
    expect(spreadOf(list)).toEqual({ p50: 50, p95: 95, max: 100, samples: 100 });
    expect(spreadOf([7])).toEqual({ p50: 7, p95: 7, max: 7, samples: 1 });
  });
  it('sees an attempt that began twice, and one that worked on after the next had begun', () => {
    const line = (event: string, attempt: number, at: number) => ({
      event,
      task: 't',
      attempt,
      pid: at,
      at,
      n: 1,
    });
    expect(checkLedger([line('start', 1, 1), line('start', 1, 2)])).toHaveLength(1);
    expect(
      checkLedger([line('start', 1, 1), line('start', 2, 2), line('line', 1, 3)]),
    ).toHaveLength(1);
    expect(checkLedger([line('start', 1, 1), line('line', 1, 2), line('start', 2, 3)])).toEqual([]);
  });
});

describe('a link', () => {
  /** Answers every piece with the same piece. */
  async function echoThrough(): Promise<{
    open: () => Promise<Socket>;
    link: Awaited<ReturnType<typeof openLink>>;
    /** The server forgets everybody. */
    reset: () => void;
    end: () => Promise<void>;
  }> {
    const accepted: Socket[] = [];
    const server = createServer((socket) => {
      accepted.push(socket);
      socket.on('error', () => {});
      socket.on('data', (bytes) => socket.write(bytes));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const link = await openLink();
    link.lead('127.0.0.1', (server.address() as AddressInfo).port);
    const sockets: Socket[] = [];
    return {
      link,
      async open() {
        const socket = connect(link.port, '127.0.0.1');
        socket.on('error', () => {});
        sockets.push(socket);
        await once(socket, 'connect');
        return socket;
      },
      reset: () => accepted.forEach((socket) => socket.resetAndDestroy()),
      async end() {
        for (const socket of sockets) socket.destroy();
        await link.close();
        server.close();
      },
    };
  }
  const closed = (socket: Socket): Promise<void> =>
    new Promise((resolve) => socket.once('close', () => resolve()));
  const ask = async (socket: Socket, text: string): Promise<string> => {
    socket.write(text);
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    return bytes.toString();
  };

  it('passes, holds while it is blocked, and loses nothing by it', async () => {
    const { link, open, end } = await echoThrough();
    const socket = await open();
    expect(await ask(socket, 'one')).toBe('one');
    link.block('both');
    let heard = '';
    socket.on('data', (bytes) => (heard += bytes.toString()));
    socket.write('two');
    const other = await open();
    const early = await Promise.race([
      once(other, 'data').then(() => 'answered'),
      new Promise((resolve) => setTimeout(resolve, 60, 'silent')),
    ]);
    expect([early, heard]).toEqual(['silent', '']);
    link.heal();
    while (heard !== 'two') await once(socket, 'data');
    await end();
  });
  it('is dead for those that are open and fine for new ones when it is half open', async () => {
    const { link, open, end } = await echoThrough();
    const old = await open();
    expect(await ask(old, 'one')).toBe('one');
    expect(link.halfOpen()).toBe(1);
    old.write('two');
    let heard = false;
    old.on('data', () => (heard = true));
    expect(await ask(await open(), 'three')).toBe('three');
    expect(heard).toBe(false);
    await end();
  });
  it('closes although half of a dead connection is still there', async () => {
    const { link, open, reset, end } = await echoThrough();
    const socket = await open();
    expect(await ask(socket, 'one')).toBe('one');
    link.halfOpen();
    // What nobody reads keeps this half open although its peer goes.
    socket.write('two');
    reset();
    while (link.halves !== 1) await pause(1);
    await end();
  });
  it('ends connections, and loses the answer to what was carried out', async () => {
    const { link, open, end } = await echoThrough();
    const first = await open();
    expect(await ask(first, 'one')).toBe('one');
    expect(link.cut('reset')).toBe(1);
    await closed(first);
    link.loseAnswers('commit', 1);
    const second = await open();
    expect(await ask(second, 'begin')).toBe('begin');
    second.write('commit');
    await closed(second);
    expect(await ask(await open(), 'commit')).toBe('commit');
    expect(link.counts).toMatchObject({ opened: 3, broken: 2 });
    await end();
  });
});
