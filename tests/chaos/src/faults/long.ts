// Faults of single rows: longer, harder or stranger than what a mix can bear every few seconds.
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { House } from '../house/house.ts';
import type { Direction } from '../house/link.ts';
import type { End } from '../house/links.ts';
import { found, pause } from '../pause.ts';
import { liveAgents } from '../house/agents.ts';
import { armed, killProcess } from './kills.ts';
import { goneForGood } from './machines.ts';
import type { Fault, Strike } from './fault.ts';
import { wipeRedis, withRedis } from './redis.ts';
import { aimedAt } from '../schedule.ts';

/** Nothing passes on any link to this end. */
export function cutOff(end: End, lastsMs: number, direction: Direction = 'both'): Fault {
  return {
    about: `nothing passes to or from ${end} on any link for ${lastsMs / 1_000} s`,
    recovery: 'none',
    strike(house) {
      const links = [...house.links.to(end).values()];
      const before = links.reduce((all, { counts }) => all + counts.held, 0);
      for (const link of links) link.block(direction);
      return {
        hit: `${links.length} links`,
        lastsMs,
        heal: () => links.forEach((link) => link.heal()),
        evidence: () =>
          links.reduce((all, { counts }) => all + counts.held, 0) > before
            ? 'what passed was held'
            : undefined,
      };
    },
  };
}

/** Something, again and again, for a while. */
export function flapping(
  about: string,
  { everyMs, lastsMs }: { readonly everyMs: number; readonly lastsMs: number },
  blow: (house: House) => Promise<number> | number,
): Fault {
  return {
    about,
    recovery: 'none',
    strike(house) {
      const over = new AbortController();
      let hits = 0;
      const flaps = (async () => {
        while (!over.signal.aborted) {
          hits += await blow(house);
          await pause(everyMs, over.signal);
        }
      })();
      return {
        hit: about,
        lastsMs,
        async heal() {
          over.abort();
          await flaps;
        },
        evidence: () => (hits > 0 ? `${hits} times` : undefined),
      };
    },
  };
}

export const cutRedisOften = flapping(
  'the links to Redis are cut every 300 ms',
  { everyMs: 300, lastsMs: 10_000 },
  (house) => [...house.links.to('redis').values()].reduce((all, link) => all + link.cut('end'), 0),
);

export const killRedisClients = flapping(
  'CLIENT KILL of every normal and subscribed client, each second',
  { everyMs: 1_000, lastsMs: 8_000 },
  async (house) =>
    (await withRedis(house, async (redis) => {
      const killed = await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      const subscribed = await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      return Number(killed) + Number(subscribed);
    })) ?? 0,
);

export const endBackends = flapping(
  'pg_terminate_backend for one connection after the other',
  { everyMs: 50, lastsMs: 6_000 },
  async ({ sql }) => {
    const rows = await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
       where application_name like 'makima-%' order by random() limit 1`.catch(() => []);
    return rows.length;
  },
);

/** Redis takes nothing more, as when its memory is full. */
export const fullRedis: Fault = {
  about: 'Redis is full: it refuses every write',
  recovery: 'none',
  async strike(house) {
    const set = (bytes: string): Promise<unknown> =>
      withRedis(house, (redis) => redis.config('SET', 'maxmemory', bytes));
    if ((await set('1')) === null) return null;
    let refused: string | undefined;
    return {
      hit: 'maxmemory 1',
      lastsMs: 6_000,
      async heal() {
        refused = await withRedis(house, async (redis) =>
          redis.set('full?', '1').then(
            () => undefined,
            (error: Error) => error.message,
          ),
        ).then((words) => words ?? undefined);
        await set('0');
      },
      evidence: () => refused,
    };
  },
};

/** Redis comes back as it was a while ago: jobs that are over appear again. */
export function oldRedis(): Fault {
  let copied = false;
  return {
    about: 'Redis is replaced by what it was a while ago',
    recovery: 'none',
    strike(house): Strike | null {
      const { redis } = house.stack.options.home;
      const [now, then] = [join(redis, 'appendonlydir'), join(redis, 'as-it-was')];
      if (!copied) {
        copied = existsSync(now);
        cpSync(now, then, { recursive: true });
        return { hit: 'a copy is taken', evidence: () => undefined };
      }
      const strike = killProcess(house, 'redis');
      rmSync(now, { recursive: true, force: true });
      cpSync(then, now, { recursive: true });
      return strike;
    },
  };
}

const hourMs = 3_600_000;

/** The clocks of these processes are wrong by an hour, one after the other, forth and back. */
export function wrongClock(names: readonly string[], lastsMs: number): Fault {
  return {
    about: `the clock of ${names.join(' or ')} is wrong by an hour for ${lastsMs / 1_000} s`,
    recovery: 'probe',
    strike(house, aim) {
      const name = aimedAt(names, aim.at) ?? names[0] ?? '';
      const byMs = aim.force < 0.5 ? hourMs : -hourMs;
      let seen = false;
      house.clocks.shift(name, byMs);
      return {
        hit: `${name}, ${byMs > 0 ? '+' : '-'}1 h`,
        lastsMs,
        heal() {
          seen = house.clocks.seen(name) === byMs;
          house.clocks.shift(name, 0);
        },
        evidence: () => (seen ? 'the process saw another time' : undefined),
      };
    },
  };
}

/** Redis dies, and nobody reaches the empty one that comes in its place for a while. */
export function redisAway(lastsMs: number): Fault {
  const away = cutOff('redis', lastsMs);
  return {
    about: `Redis is killed, comes back with nothing, and is out of reach for ${lastsMs / 1_000} s`,
    recovery: 'none',
    async strike(house, aim) {
      const wiped = await wipeRedis.strike(house, aim);
      const cut = await away.strike(house, aim);
      for (const link of house.links.to('redis').values()) link.cut('reset');
      return wiped && cut && { ...wiped, lastsMs, heal: () => cut.heal?.() };
    },
  };
}

/** A machine that is never seen again; after a while a person says so, and whoever waited for it waits no more. */
export function goneAndSentAway(afterMs: number): Fault {
  const gone = goneForGood();
  return {
    about: `${gone.about}; after ${afterMs / 1_000} s a person revokes it`,
    recovery: 'agents',
    async strike(house, aim) {
      const strike = await gone.strike(house, aim);
      return strike && { ...strike, lastsMs: afterMs, heal: () => revokeAbsent(house) };
    },
  };
}

async function revokeAbsent({ client, sql }: House): Promise<void> {
  const absent = await sql<{ id: string }[]>`
    select id from daemons where status = 'disconnected'`;
  for (const { id } of absent) await client.call('revokeDaemon', { params: { id } });
}

/** A process is asked to end (SIGTERM), as in a rolling restart. */
export function drain(names: readonly string[]): Fault {
  return {
    about: `SIGTERM to ${names.join(', ')}`,
    recovery: 'none',
    strike(house) {
      const before = names.map((name) => [name, house.process(name).pid] as const);
      for (const name of names) house.process(name).signal('SIGTERM');
      return {
        hit: names.join(', '),
        evidence: () =>
          before.every(([name, pid]) => {
            const now = house.process(name);
            return now.pid !== null && now.pid !== pid && now.isReady;
          })
            ? 'all were started again'
            : undefined,
      };
    },
  };
}

/** Within the time that a strike has. */
const supervisorWithinMs = 4_000;

/** A process ends at this place; what leads there is made to happen. */
export function endAt(process: string, point: string, provoke?: 'a lost supervisor'): Fault {
  return {
    about: `${process} ends at ${point}`,
    recovery: 'none',
    async strike(house) {
      if (provoke === undefined) return armed(house, process, point);
      // Between two contracts there is none: a trap would wait for nothing, and the next try comes.
      const supervisor = await found(async () => (await livingSupervisors(house))[0], {
        withinMs: supervisorWithinMs,
      });
      if (supervisor === undefined) return null;
      const strike = armed(house, process, point);
      signal(supervisor.pid);
      return { ...strike, ended: [supervisor] };
    },
  };
}

/** Supervisors of contracts, whose agents run now and have been killed seldom. */
async function livingSupervisors(
  house: House,
): Promise<{ pid: number; task: string; attempt: number }[]> {
  const rows = await house.sql<{ id: string }[]>`
    select t.id from tasks t join contracts c on c.id = t.contract_id
     where t.is_supervisor and c.name <> 'probes'`.catch(() => []);
  const ids = new Set(rows.map(({ id }) => id));
  return liveAgents(house.ledger)
    .filter(({ task, attempt }) => ids.has(task) && attempt <= 3)
    .toReversed();
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}
