/**
 * The socket's protocol and the two journals, lived through thousands of times: frames are lost, doubled, late
 * and out of order, connections are cut, both sides die at any moment and the daemon loses what it did not sync.
 * Then the faults stop, and everything must have come.
 */
import fc from 'fast-check';
import { it } from 'vitest';
import { holds, must, step, type Step } from '@makima/domain/model/test-model';
import { parseEntry } from '../journal/state.ts';
import { scanLines } from '../journal/line.ts';
import * as daemon from './test-daemon.ts';
import * as server from './test-server.ts';
import { begin, pick, type Link, type World } from './test-world.ts';

type Act = (world: World, n: number) => void;

const by = (name: string, act: Act): fc.Arbitrary<Step<World>> =>
  fc.nat({ max: 10_000 }).map((n) => ({ name: `${name} ${n}`, happen: (world) => act(world, n) }));

const often = (times: number, one: fc.Arbitrary<Step<World>>) =>
  Array.from({ length: times }, () => one);

/** Takes a frame from a queue: mostly the first, sometimes another, sometimes leaving it there to come again. */
function take<T>(world: World, queue: T[], n: number): T | undefined {
  const at = n % 5 === 0 ? n % Math.max(1, queue.length) : 0;
  const isDoubled = n % 11 === 0;
  const isLost = n % 13 === 0;
  const frame = isDoubled ? queue[at] : queue.splice(at, 1)[0];
  if (frame === undefined) return undefined;
  if (at > 0) world.seen.mark = 'out of order';
  if (isDoubled) world.seen.mark = 'doubled';
  if (isLost) world.seen.mark = 'lost';
  return isLost ? undefined : frame;
}

const up: Act = (world, n) => {
  const link = pick(
    world.links.filter(({ up }) => up.length > 0),
    n,
  );
  if (link === undefined) return;
  const frame = take(world, link.up, n);
  const dies = n % 29 === 0 ? 'before' : n % 31 === 0 ? 'after' : 'no';
  if (frame !== undefined) server.onUp(world, link, frame, dies);
  if (dies !== 'no') serverDies(world);
};

/** Its gateways forget everything; its store does not. */
function serverDies(world: World): void {
  for (const link of world.links) Object.assign(link, { cut: true, talk: null });
  world.seen.mark = 'server crashed';
}

const down: Act = (world, n) => {
  const { link } = world.daemon;
  if (link === null) return;
  const frame = take(world, link.down, n);
  if (frame !== undefined) daemon.onDown(world, frame);
};

const present = (world: World, n: number): Link | undefined => pick(world.links, n);

const steps: fc.Arbitrary<Step<World>>[] = [
  ...often(8, by('frame up', up)),
  ...often(8, by('frame down', down)),
  ...often(5, step('synced', daemon.sync)),
  ...often(5, by('agent works', daemon.work)),
  ...often(4, step('connects', daemon.connect)),
  ...often(
    4,
    by('sends', (world, n) => daemon.send(world, 1 + (n % 4))),
  ),
  ...often(
    4,
    by('delivers', (world, n) => {
      for (const link of world.links) server.deliver(world, link, 1 + (n % 3));
    }),
  ),
  ...often(3, step('task spawned', server.spawn)),
  ...often(2, by('message', server.message)),
  by('command withdrawn', server.withdraw),
  by('lease over', server.lose),
  by('daemon dies', daemon.crash),
  step('server dies', serverDies),
  by('connection cut', (world, n) => {
    const link = present(world, n);
    if (link !== undefined) link.cut = true;
  }),
  step('reports again', daemon.resendReports),
  by('commands again', (world, n) => {
    const link = present(world, n);
    if (link !== undefined) server.resendCommands(link);
  }),
];

function invariants({ store, daemon: { state, durableSeq } }: World): void {
  must(state.ackedSeq <= store.appliedSeq, 'the daemon forgets only what is stored');
  must(store.appliedSeq <= durableSeq, 'only what is on the disk was sent');
  must(state.lastCommandSeq <= store.commandSeq, 'nobody takes what was never told');
}

/** No more faults: both sides talk until neither has anything to say. */
function heal(world: World): void {
  for (const { up, down } of world.links) for (const queue of [up, down]) queue.splice(0);
  const isDead = ({ cut, talk }: Link): boolean => cut || talk === null || !world.daemon.welcomed;
  for (const link of world.links) if (isDead(link)) link.cut = true;
  for (let round = 0; round < 60; round += 1) {
    daemon.resendReports(world);
    for (const link of world.links) server.resendCommands(link);
    daemon.connect(world);
    const { link } = world.daemon;
    must(link !== null, 'it connects');
    while (link.up.length > 0 || link.down.length > 0) {
      for (const frame of link.up.splice(0)) server.onUp(world, link, frame, 'no');
      for (const frame of link.down.splice(0)) daemon.onDown(world, frame);
      daemon.sync(world);
    }
    daemon.sync(world);
    daemon.send(world, 3);
    server.deliver(world, link, 3);
    invariants(world);
  }
}

function allCame(world: World): void {
  heal(world);
  const { store, seen, daemon: left } = world;
  must(store.appliedSeq === left.state.lastReportSeq, 'every report is stored');
  must(left.state.ackedSeq === store.appliedSeq, 'and the daemon knows it');
  const written = new Map<string, number>();
  for (const { line } of scanLines(Buffer.concat(left.disk)).lines) {
    const entry = parseEntry(line);
    if (entry.kind !== 'report' || entry.report.kind !== 'task.outputted') continue;
    const key = `${entry.report.taskId}/${entry.report.attempt}`;
    written.set(key, (written.get(key) ?? 0) + entry.report.lines.length);
  }
  for (const [taskId, task] of store.tasks) {
    for (const [i, { output }] of task.attempts.entries()) {
      const key = `${taskId}/${i + 1}`;
      must(output.length === (written.get(key) ?? 0), `all lines of ${key} are stored`);
      must(
        output.every((line, at) => line === `${key}/${at + 1}`),
        `lines of ${key} are in order`,
      );
    }
    if (task.result !== null)
      must(task.result.words === `${taskId}/${task.result.attempt}`, 'a result is its own');
  }
  const taken = scanLines(Buffer.concat(left.disk)).lines.flatMap(({ line }) =>
    line.kind === 'command' ? [line.seq] : [],
  );
  must(
    taken.every((seq, at) => at === 0 || seq > (taken[at - 1] ?? 0)),
    'commands are taken once, in order',
  );
  const has = new Set(taken);
  for (const [seq, { command, acked }] of store.commands) {
    must(acked, `command ${seq} is acked`);
    must(has.has(seq) || seen.withdrawn.has(seq), `command ${seq} was taken`);
    if (command.kind === 'task.message' && has.has(seq))
      must((seen.messages.get(seq) ?? 0) > 0, `command ${seq} was applied`);
  }
}

it('whatever is lost, doubled, late or dead, everything comes once and in order', () => {
  holds<World>({
    name: 'socket',
    begin,
    steps,
    invariants,
    atLast: allCame,
    seen: {
      of: ({ seen }) => seen.mark,
      all: [
        'lost',
        'doubled',
        'out of order',
        'torn line',
        'daemon crashed',
        'server crashed',
        'command withdrawn',
        'commands came too early',
        'late end',
        ...['fresh', 'known', 'gap', 'old_session'].map((kind) => `frame: ${kind}`),
      ],
    },
    runs: 1_200,
    stepsMax: 160,
  });
});
