/**
 * The socket's protocol and the two journals, lived through thousands of times: frames are lost, doubled, late
 * and out of order, connections are cut, both sides die at any moment and the daemon loses what it did not sync.
 * Then the faults stop, and everything must have come.
 */
import fc from 'fast-check';
import { it } from 'vitest';
import { holds, step, type Step } from '@makima/domain/model/test-model';
import * as daemon from './test-daemon.ts';
import { allCame, invariants } from './test-end.ts';
import * as server from './test-server.ts';
import { down, serverDies, up } from './test-wire.ts';
import { begin, pick, type Link, type World } from './test-world.ts';

type Act = (world: World, n: number) => void;

const by = (name: string, act: Act): fc.Arbitrary<Step<World>> =>
  fc.nat({ max: 10_000 }).map((n) => ({ name: `${name} ${n}`, happen: (world) => act(world, n) }));

const often = (times: number, one: fc.Arbitrary<Step<World>>) =>
  Array.from({ length: times }, () => one);

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

it('whatever is lost, doubled, late or dead, everything comes once and in order', () => {
  holds<World>({
    name: 'socket',
    begin,
    steps,
    invariants,
    atLast: (world) => allCame([world]),
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
