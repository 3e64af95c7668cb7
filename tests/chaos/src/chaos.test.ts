// The parts of a chaos run that can be held to their word without one: timetable, options, links, figures.
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkLedger } from './ledger.ts';
import { bitesOf } from './faults/bites.ts';
import { ask } from './check/ask.ts';
import { logReader } from './check/logs.ts';
import { clean, type Verdict } from './check/verdict.ts';
import { faultNames, possible, standardFaults } from './faults/catalogue.ts';
import type { Strike } from './faults/fault.ts';
import { nemesisOf, type Struck } from './faults/nemesis.ts';
import type { House } from './house/house.ts';
import { openLink } from './house/link.ts';
import { loadShape, placesPerMachine } from './load/shape.ts';
import { calendarOf } from './measure/calendar.ts';
import { spreadOf } from './measure/recovery.ts';
import { pause } from './pause.ts';
import { readChaosOptions } from './options.ts';
import { aimedAt, longPace, paceOf, standardPace, steadyPace, timetableOf } from './schedule.ts';

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
  it('lets a kind that may be alone be so every second time, where there is room', () => {
    const kinds = ['agent', 'api', 'flush'];
    const mayBeAlone = (kind: string): boolean => kind === 'agent';
    const all = timetableOf(5, kinds, { untilMs: 600_000, pace: longPace, mayBeAlone });
    const around = all.flatMap(({ kind, atMs }, n) => {
      const [before, after] = [atMs - (all[n - 1]?.atMs ?? 0), (all[n + 1]?.atMs ?? 0) - atMs];
      return kind === 'agent' ? [before >= 8_000 && after >= 12_000] : [];
    });
    expect(around.length).toBeGreaterThan(20);
    expect(around.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, n) => n % 2 === 1));
    const steady = timetableOf(5, kinds, { untilMs: 600_000, pace: steadyPace, mayBeAlone });
    expect(steady.map(({ kind }) => kind).slice(0, all.length)).toEqual(
      all.map(({ kind }) => kind),
    );
    expect(
      steady.every(({ atMs }, n) => n === 0 || atMs - (steady[n - 1]?.atMs ?? 0) < 4_501),
    ).toBe(true);
  });
  it('aims at one of those that are there', () => {
    expect([aimedAt(['a', 'b'], 0), aimedAt(['a', 'b'], 0.99), aimedAt([], 0.5)]).toEqual([
      'a',
      'b',
      undefined,
    ]);
  });
});

describe('a fault', () => {
  it('is counted from its blow; where it knows of none, from when it was asked for', async () => {
    const blow = (at?: number): Strike => ({
      hit: 'somebody',
      evidence: () => 'it was seen',
      ...(at === undefined ? {} : { at }),
    });
    const fault = (strike: Strike) => ({
      about: 'slow to find whom to hit',
      recovery: 'none' as const,
      strike: () => pause(50).then(() => strike),
    });
    const nemesis = nemesisOf({
      house: {} as House,
      faults: { told: fault(blow(42)), untold: fault(blow()) },
      say: () => {},
    });
    const askedAt = Date.now();
    const aim = { at: 0, force: 0 };
    expect((await nemesis.strike('told', aim))?.at).toBe(42);
    const untold = (await nemesis.strike('untold', aim))?.at ?? 0;
    expect(untold).toBeGreaterThanOrEqual(askedAt);
    expect(untold).toBeLessThanOrEqual(Date.now() - 45);
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
    const all = { p50: 50, p95: 95, max: 100, samples: 100 };
    const seven = { p50: 7, p95: 7, max: 7, samples: 1 };
    expect(spreadOf(list, [7])).toEqual({ ...all, alone: seven });
    expect(spreadOf([7], [])).toEqual({ ...seven, alone: null });
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

describe('what is told of a recovery', () => {
  const one = (kind: string, at: number, more: Partial<Struck['strike']>): Struck => ({
    kind,
    at,
    strike: { hit: '', evidence: () => undefined, ...more },
    bite: new Promise(() => {}),
  });
  it('names the other faults that what came back may have felt', () => {
    const calendar = calendarOf();
    const agent = one('agent', 10_000, { touches: [] });
    const daemon = one('daemon', 10_000, { touches: ['daemon-2'] });
    for (const other of [
      agent,
      daemon,
      one('frozen before', 4_000, { lastsMs: 5_500 }),
      one('over before', 4_000, { lastsMs: 4_500 }),
      one('later', 12_500, {}),
      one('asleep', 11_000, { touches: ['daemon-2'], lastsMs: 5_000 }),
    ])
      calendar.note(other);
    expect(calendar.others(agent, 12_000, 'daemon')).toEqual(['frozen before']);
    expect(calendar.others(agent, 12_000, 'daemon-2')).toEqual([
      'daemon',
      'frozen before',
      'asleep',
    ]);
    expect(calendar.others(daemon, 13_000, null)).toEqual(['frozen before', 'later', 'asleep']);
  });
});

describe('a load', () => {
  it('of a few contracts is as short as it can be, of many leaves time for everything else', () => {
    expect(loadShape(2, 60_000)).toMatchObject({ stepMs: 60, staggerMs: 0, beginsForMs: 60_000 });
    const hour = loadShape(50, 3_600_000);
    expect(hour.stepMs).toBe(17_500);
    expect(hour.beginsForMs).toBe(3_250_000);
    expect(loadShape(50, 360_000).stepMs).toBe(9_000);
    expect(placesPerMachine(50, 20, 4)).toBe(16);
  });
  it('has the kinds that fit, at a pace that has each of them often', () => {
    const small = possible(faultNames, { daemons: 1, seconds: 600 });
    expect(Object.keys(small)).toEqual(faultNames.filter((name) => name !== 'daemon-gone'));
    const large = possible(faultNames, { daemons: 20, seconds: 600 });
    expect(Object.keys(large)).toEqual(faultNames);
    expect(paceOf(faultNames.length, 3_600_000)).toBe(longPace);
    expect(paceOf(faultNames.length, 360_000)).toBe(steadyPace);
    expect(paceOf(faultNames.length, 60_000)).toBe(standardPace);
  });
});

describe('the checks', () => {
  it('read every line of a log once, wherever it was moved, and tell deaths that nobody caught', () => {
    const dir = mkdtempSync(join(tmpdir(), 'makima-chaos-logs-'));
    const log = join(dir, 'api.log');
    const reader = logReader(dir);
    writeFileSync(log, '{"msg":"uncaught exception"}\n{"msg":"fine"}\n');
    reader.look();
    renameSync(log, `${log}.1`);
    writeFileSync(log, 'throw new Error()\nNode.js v24');
    reader.look();
    appendFileSync(log, '.21.0\n');
    reader.look();
    reader.look();
    expect(reader.findings).toEqual([
      'api.log: {"msg":"uncaught exception"} (I40)',
      'api.log: Node.js v24.21.0 (I40)',
    ]);
    rmSync(dir, { recursive: true });
  });
  it('ask again when nobody answers, count no half of an answer, and tell when there is none', async () => {
    let renewed = 0;
    const house = { renewOracle: () => void (renewed += 1) };
    const told = clean();
    let asked = 0;
    const second = async (part: Verdict): Promise<void> => {
      part.lost.push('a');
      asked += 1;
      if (asked === 1) await new Promise(() => {});
    };
    await ask(house, 'rows', told, second, 5);
    await ask(house, 'git', told, () => Promise.reject(new Error('no git')), 5);
    expect(told).toEqual({
      lost: ['a'],
      doubled: [],
      broken: ['nobody answers about git: no git'],
    });
    expect(renewed).toBe(4);
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
