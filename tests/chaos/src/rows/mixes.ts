// Rows that are one kind of fault under load, over and over.
import { faults } from '../faults/catalogue.ts';
import { freeze } from '../faults/freezes.ts';
import {
  cutOff,
  cutRedisOften,
  drain,
  endAt,
  endBackends,
  fullRedis,
  killRedisClients,
  oldRedis,
  redisAway,
  wrongClock,
} from '../faults/long.ts';
import { troubledFrames } from '../faults/frames.ts';
import { fullPostgresDisk, fullRedisDisk } from '../faults/full-disk.ts';
import { refusedTransactions } from '../faults/refusals.ts';
import type { Fault } from '../faults/fault.ts';
import { racepoints } from '../house/race.ts';
import type { Row } from './row.ts';
import {
  apiAnswers,
  feedIsWhole,
  memoryStays,
  nobodyExits,
  noOrphans,
  nothingEarly,
  theServices,
} from './watchers.ts';

const two = (service: string): Row['house'] => ({ replicas: { [service]: 2 } });
const only = (...names: (keyof typeof faults)[]): Record<string, Fault> =>
  Object.fromEntries(names.map((name) => [name, faults[name]]));
const long = (name: string, ms: number): Fault => freeze(name, { minMs: ms, maxMs: ms });
const restoration = Object.fromEntries(
  racepoints.restorer.map((point) => [point, endAt('restorer', point, 'a lost supervisor')]),
);
const mib = 1024 * 1024;
/** Redis is never on the way of a write: it may be away as long as it likes. */
const storeless: Row['watchers'] = [apiAnswers({ mayBeAway: false, p99Ms: 1_000 })];

export const mixRows = {
  T01: { about: 'scheduler killed in the middle of jobs', faults: only('scheduler'), gapMs: 5_000 },
  T02: {
    about: 'one of two schedulers paused past the lock of its jobs',
    house: two('scheduler'),
    faults: { paused: long('scheduler', 35_000) },
    seconds: 75,
  },
  T03: {
    about: 'restorer killed at each step of a restoration',
    faults: restoration,
    seconds: 90,
    gapMs: 4_000,
  },
  T05: {
    about: 'API killed between commit and answer',
    faults: {
      'act.after_commit': endAt('api', 'act.after_commit'),
      'act.before_commit': endAt('api', 'act.before_commit'),
    },
    gapMs: 3_000,
    watchers: [feedIsWhole],
  },
  T06: {
    about: 'relay killed between claim, add and mark',
    faults: {
      'outbox.after_claim': endAt('scheduler', 'outbox.after_claim'),
      'outbox.after_add': endAt('scheduler', 'outbox.after_add'),
    },
    gapMs: 4_000,
  },
  T07: {
    about: 'two relays, one of them paused',
    house: two('scheduler'),
    faults: { paused: long('scheduler-2', 15_000) },
    seconds: 60,
  },
  T08: {
    about: 'Redis killed, comes back with nothing, at once or after 10 s',
    faults: { ...only('redis-wipe'), away: redisAway(10_000) },
    gapMs: 6_000,
    seconds: 60,
    watchers: storeless,
  },
  T09: { about: 'FLUSHALL at random moments', faults: only('flush'), gapMs: 2_000 },
  T10: {
    about: 'Redis killed, comes back with its append-only file',
    faults: only('redis-restart'),
    gapMs: 6_000,
  },
  T11: {
    about: 'Redis replaced by an old copy of itself',
    faults: { old: oldRedis() },
    gapMs: 8_000,
  },
  T12: {
    about: 'Redis full; the API says yes to everything',
    faults: { full: fullRedis },
    gapMs: 8_000,
    watchers: storeless,
  },
  T13: {
    about: 'the disk of Redis full; the API says yes to everything',
    house: { disks: { redis: 24 * mib } },
    faults: { full: fullRedisDisk },
    gapMs: 8_000,
    watchers: storeless,
  },
  T14: {
    about: 'Redis frozen for 20 s; the API says yes to everything',
    faults: { frozen: long('redis', 20_000) },
    seconds: 60,
    watchers: storeless,
  },
  T15: {
    about: 'connections to Redis half open',
    faults: only('redis-half-open'),
    gapMs: 10_000,
    seconds: 75,
  },
  T16: {
    about: 'the link to Redis flaps and is slow',
    faults: { flapping: cutRedisOften, ...only('redis-slow') },
    gapMs: 6_000,
    watchers: [apiAnswers({ mayBeAway: false }), memoryStays(50, ...theServices)],
  },
  T17: { about: 'replies of Redis lost', faults: only('redis-lost-reply'), gapMs: 3_000 },
  T18: {
    about: 'clients of Redis killed each second; nobody ends by it',
    faults: { killed: killRedisClients },
    watchers: [feedIsWhole, nobodyExits(...theServices)],
  },
  T19: {
    about: 'Postgres restarted over and over; nobody ends by it, the API says yes or 503',
    faults: only('postgres-restart', 'postgres-crash'),
    gapMs: 8_000,
    watchers: [apiAnswers({ mayBeAway: true }), feedIsWhole, nobodyExits(...theServices)],
  },
  T20: {
    about: 'backends of Postgres ended one by one; nobody ends by it',
    faults: { ended: endBackends },
    watchers: [apiAnswers({ mayBeAway: true }), nobodyExits(...theServices)],
  },
  T22: {
    about: 'Postgres unreachable for 20 s',
    faults: { unreachable: cutOff('postgres', 20_000) },
    gapMs: 10_000,
    seconds: 75,
  },
  T23: {
    about: 'the disk of Postgres full; the API says yes or 503',
    house: { disks: { postgres: 320 * mib } },
    faults: { full: fullPostgresDisk },
    gapMs: 10_000,
    seconds: 60,
    watchers: [apiAnswers({ mayBeAway: true })],
  },
  T26: {
    about: 'every 20th transaction refused as not serializable or deadlocked; nobody hears of it',
    faults: { refused: refusedTransactions },
    gapMs: 5_000,
    watchers: [apiAnswers({ mayBeAway: false }), nobodyExits(...theServices)],
  },
  T27: {
    about: 'commits whose answer is lost',
    faults: only('postgres-lost-commit'),
    gapMs: 3_000,
  },
  T30: {
    about: 'gateway drained, over and over',
    faults: { drained: drain(['daemon-gateway']) },
    gapMs: 8_000,
    watchers: [feedIsWhole],
  },
  T31: {
    about: 'daemon killed; nothing of it outlives it',
    faults: only('daemon'),
    gapMs: 12_000,
    watchers: [noOrphans],
  },
  T34: {
    about: 'a link that passes in one direction only',
    faults: { deaf: cutOff('gateway', 25_000, 'there'), mute: cutOff('gateway', 25_000, 'back') },
    gapMs: 6_000,
    seconds: 110,
  },
  T36: {
    about: 'the clock of the daemon jumps by an hour, forth and back; no lease ends by it',
    faults: { jumping: wrongClock(['daemon'], 5_000) },
    gapMs: 3_000,
    watchers: [nothingEarly],
  },
  T37: {
    about: 'the clocks of scheduler or restorer are wrong by an hour; nothing happens early',
    faults: { wrong: wrongClock(['scheduler', 'restorer'], 9_000) },
    gapMs: 3_000,
    watchers: [nothingEarly],
  },
  T40: {
    about: 'frames of a daemon said twice and in another order',
    faults: { troubled: troubledFrames },
    gapMs: 6_000,
    watchers: [noOrphans],
  },
  T61: {
    about: 'everything told to end at once',
    faults: {
      ended: drain(['redis', 'daemon', 'scheduler', 'api', 'daemon-gateway', 'restorer']),
    },
    watchers: [noOrphans],
    gapMs: 20_000,
    seconds: 75,
  },
} as const satisfies Readonly<Record<string, Row>>;
