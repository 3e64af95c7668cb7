// Links between processes that end, forget, are slow, dead in one direction or both, or half dead.
import type { House } from '../house/house.ts';
import type { Direction, Link } from '../house/link.ts';
import type { End } from '../house/links.ts';
import { aimedAt } from '../schedule.ts';
import { lasting, type Aim, type Fault, type Strike } from './fault.ts';

type Cut = 'end' | 'reset';

export function cut(end: End, how: Cut): Fault {
  return {
    about: `every connection to ${end} ends${how === 'reset' ? ' with a reset' : ''}`,
    recovery: 'probe',
    strike(house) {
      const links = [...house.links.to(end).values()];
      const before = sum(links, 'opened');
      const count = links.reduce((all, link) => all + link.cut(how), 0);
      return count === 0
        ? null
        : { hit: `${count} connections`, evidence: () => reconnected(links, before) };
    },
  };
}

/** Connections that are open fall silent for ever; new ones work. */
export function halfOpen(end: End): Fault {
  return {
    about: `the connections of one process to ${end} fall silent and never end; new ones work`,
    recovery: 'probe',
    strike(house, aim) {
      const [name, link] = one(house, end, aim);
      const before = link.counts.opened;
      const count = link.halfOpen();
      return count === 0
        ? null
        : {
            hit: `${count} connections of ${name}`,
            ...touching(house, name),
            evidence: () => reconnected([link], before),
          };
    },
  };
}

export function blackhole(end: End, direction: Direction = 'both'): Fault {
  const way = { both: 'to and from', there: 'to', back: 'from' }[direction];
  return {
    about: `nothing passes ${way} ${end}, on one link, for a while`,
    recovery: 'probe',
    strike(house, aim) {
      const [name, link] = one(house, end, aim);
      const strike = during(link, `${name} to ${end}`, lasting(aim, 1_000, 6_000), () =>
        link.block(direction),
      );
      return { ...strike, ...touching(house, name) };
    },
  };
}

export function slow(end: End): Fault {
  return {
    about: `50 to 250 ms on everything that passes to and from ${end}`,
    recovery: 'probe',
    strike(house, aim) {
      const [name, link] = one(house, end, aim);
      const ms = lasting(aim, 50, 250);
      const strike = during(link, `${name} to ${end}, ${ms} ms`, lasting(aim, 1_000, 5_000), () =>
        link.delay(ms),
      );
      return { ...strike, ...touching(house, name) };
    },
  };
}

/** A commit is carried out, and whoever asked for it hears nothing. */
export const lostCommit: Fault = {
  about: 'commits of one process are carried out and their answers lost',
  recovery: 'probe',
  strike: (house, aim) => losing(house, 'postgres', aim, 'commit'),
};

export const lostReply: Fault = {
  about: 'scripts of one process are carried out by Redis and their answers lost',
  recovery: 'probe',
  strike: (house, aim) => losing(house, 'redis', aim, 'evalsha'),
};

function losing(house: House, end: End, aim: Aim, asking: string): Strike {
  const [name, link] = one(house, end, aim);
  const before = link.counts.broken;
  link.loseAnswers(asking, 1 + Math.floor(aim.force * 3));
  return {
    hit: `${name} to ${end}`,
    lastsMs: lasting(aim, 2_000, 4_000),
    heal: () => link.heal(),
    evidence: () => (link.counts.broken > before ? 'answers were lost' : undefined),
  };
}

function during(link: Link, hit: string, lastsMs: number, begin: () => void): Strike {
  const before = link.counts.held;
  begin();
  return {
    hit,
    lastsMs,
    heal: () => link.heal(),
    evidence: () => (link.counts.held > before ? 'what passed was held' : undefined),
  };
}

/** A link of one machine is nothing to the others; one of a service is felt by whoever works. */
function touching(house: House, name: string): Pick<Strike, 'touches'> {
  return house.machines.includes(name) ? { touches: [name] } : {};
}

function one(house: House, end: End, aim: Aim): [string, Link] {
  const found = aimedAt([...house.links.to(end)], aim.at);
  if (found === undefined) throw new Error(`no link leads to ${end}`);
  return found;
}

function reconnected(links: readonly Link[], before: number): string | undefined {
  const more = sum(links, 'opened') - before;
  return more > 0 ? `${more} connections were opened anew` : undefined;
}

function sum(links: readonly Link[], count: 'opened' | 'broken' | 'held'): number {
  return links.reduce((all, link) => all + link.counts[count], 0);
}
