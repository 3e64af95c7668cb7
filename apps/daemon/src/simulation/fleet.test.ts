/**
 * Three daemons and two gateways, lived through hundreds of times: a daemon moves to the other gateway while
 * the former one still believes that it has it, gateways die one by one, tasks go from daemon to daemon. Then
 * the faults stop, and everything must have come, once, from the daemon that it was given to.
 */
import fc from 'fast-check';
import { it } from 'vitest';
import { holds, must, type Step } from '@makima/domain/model/test-model';
import * as daemon from './test-daemon.ts';
import { allCame, invariants } from './test-end.ts';
import * as server from './test-server.ts';
import { down, up } from './test-wire.ts';
import { beginFleet, pick, type Link, type World } from './test-world.ts';

interface Fleet {
  readonly worlds: readonly World[];
  /** Whose turn it was last. */
  acting: World | undefined;
}

type Act = (world: World, n: number) => void;

const sizes = { daemons: 3, gateways: 2 };

const by = (name: string, act: Act): fc.Arbitrary<Step<Fleet>> =>
  fc.tuple(fc.nat({ max: sizes.daemons - 1 }), fc.nat({ max: 10_000 })).map(([id, n]) => ({
    name: `${name} of ${id}, ${n}`,
    happen(fleet) {
      fleet.acting = fleet.worlds[id];
      if (fleet.acting !== undefined) act(fleet.acting, n);
    },
  }));

const often = (times: number, one: fc.Arbitrary<Step<Fleet>>) =>
  Array.from({ length: times }, () => one);

const held = ({ links }: World): Link[] => links.filter(({ talk }) => talk !== null);
const onHeld =
  (act: (world: World, link: Link) => void): Act =>
  (world, n) => {
    const link = pick(held(world), n);
    if (link !== undefined) act(world, link);
  };

/** All connections of one gateway, whichever daemon has them. */
const gatewayDies: Act = ({ fleet, seen }, n) => {
  for (const { links } of fleet)
    for (const link of links)
      if (link.gateway === n % sizes.gateways) Object.assign(link, { cut: true, talk: null });
  seen.mark = 'gateway died';
};

const steps: fc.Arbitrary<Step<Fleet>>[] = [
  ...often(14, by('frame up', up)),
  ...often(14, by('frame down', down)),
  ...often(8, by('synced', daemon.sync)),
  ...often(5, by('agent works', daemon.work)),
  ...often(
    4,
    by('connects', (world, n) => daemon.connect(world, n % sizes.gateways)),
  ),
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
  ...often(3, by('task spawned', server.spawn)),
  by('moves on', (world, n) => daemon.moveOn(world, n % sizes.gateways)),
  ...often(2, by('lease over', server.lose)),
  by('given up by a gateway', onHeld(server.gone)),
  by('looked after by a gateway', onHeld(server.tend)),
  by('message', server.message),
  by('daemon dies', daemon.crash),
  by('gateway dies', gatewayDies),
  by('reports again', daemon.resendReports),
  by(
    'commands again',
    onHeld((_, link) => server.resendCommands(link)),
  ),
];

function fenced({ worlds }: Fleet): void {
  for (const world of worlds) {
    invariants(world);
    const { store, daemon: mine } = world;
    const present = mine.link?.talk?.sessionEpoch === store.sessionEpoch && !mine.link.cut;
    must(!present || store.connected, 'a gateway that lost it does not speak of its new session');
  }
}

it('whichever gateway believes to have a daemon, and wherever a task went, everything comes once', () => {
  holds<Fleet>({
    name: 'fleet',
    begin: () => ({ worlds: beginFleet(sizes.daemons), acting: undefined }),
    steps,
    invariants: fenced,
    atLast: ({ worlds }) => allCame(worlds),
    seen: {
      of: ({ acting }) => acting?.seen.mark ?? '',
      all: [
        'moved on',
        'gone, but there again',
        'gateway died',
        'daemon crashed',
        'late end',
        ...['fresh', 'known', 'gap', 'old_session'].map((kind) => `frame: ${kind}`),
      ],
    },
    runs: 300,
    stepsMax: 480,
  });
});
