// Every kind of fault by its name.
// Law: a name is a promise to whoever reads figures: it keeps its meaning.
import { jumpingClock } from './clocks.ts';
import type { Fault } from './fault.ts';
import { asleep, freeze } from './freezes.ts';
import { kill, killAgent, killAtRacepoint, killDaemon } from './kills.ts';
import { blackhole, cut, halfOpen, lostCommit, lostReply, slow } from './links.ts';
import { away } from './machines.ts';
import { restartPostgres, terminateBackends } from './postgres.ts';
import { flush, restartRedis, wipeRedis } from './redis.ts';

export const faults = {
  api: kill('api'),
  scheduler: kill('scheduler'),
  restorer: kill('restorer'),
  gateway: kill('daemon-gateway'),
  daemon: killDaemon,
  agent: killAgent,
  racepoint: killAtRacepoint,
  flush,
  'redis-restart': restartRedis,
  'redis-wipe': wipeRedis,
  'redis-frozen': freeze('redis'),
  'redis-cut': cut('redis', 'end'),
  'redis-half-open': halfOpen('redis'),
  'redis-slow': slow('redis'),
  'redis-lost-reply': lostReply,
  'postgres-restart': restartPostgres('fast'),
  'postgres-crash': restartPostgres('immediate'),
  'postgres-backends': terminateBackends,
  'postgres-frozen': freeze('postgres', { minMs: 500, maxMs: 4_000 }),
  'postgres-reset': cut('postgres', 'reset'),
  'postgres-blackhole': blackhole('postgres'),
  'postgres-lost-commit': lostCommit,
  'gateway-cut': cut('gateway', 'end'),
  'gateway-reset': cut('gateway', 'reset'),
  'gateway-blackhole': blackhole('gateway'),
  'gateway-deaf': blackhole('gateway', 'there'),
  'gateway-mute': blackhole('gateway', 'back'),
  'gateway-half-open': halfOpen('gateway'),
  'gateway-slow': slow('gateway'),
  'tools-cut': cut('api', 'reset'),
  'api-frozen': freeze('api'),
  'scheduler-frozen': freeze('scheduler'),
  'restorer-frozen': freeze('restorer'),
  'gateway-frozen': freeze('daemon-gateway'),
  asleep,
  'daemon-gone': away,
  clock: jumpingClock,
} as const satisfies Readonly<Record<string, Fault>>;

/** What a run is made of when nobody says: deaths anywhere, at any moment and at named places, and lost jobs. */
export const standardFaults = [
  'api',
  'scheduler',
  'restorer',
  'gateway',
  'daemon',
  'agent',
  'racepoint',
  'flush',
] as const satisfies readonly (keyof typeof faults)[];

/** The kinds of a mix that a house of so many machines can have in so many seconds. */
export function possible(
  names: readonly FaultName[],
  { daemons, seconds }: { readonly daemons: number; readonly seconds: number },
): Record<string, Fault> {
  const all: Readonly<Record<string, Fault>> = faults;
  return Object.fromEntries(
    names.flatMap((name) => {
      const fault = all[name];
      const { needs } = fault ?? {};
      const fits = needs === undefined || (daemons >= needs.machines && seconds >= needs.seconds);
      return fault !== undefined && fits ? [[name, fault]] : [];
    }),
  );
}

export type FaultName = keyof typeof faults;
export const faultNames = Object.keys(faults) as FaultName[];
export const isFaultName = (text: string): text is FaultName => Object.hasOwn(faults, text);
