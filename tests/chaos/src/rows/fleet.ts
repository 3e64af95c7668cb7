// Rows of several machines. Beats are quick there, so that leases can be short.
import { goneAndSentAway } from '../faults/long.ts';
import { partitioned, twice } from '../faults/machines.ts';
import type { Row } from './row.ts';
import { noOrphans } from './watchers.ts';

const leaseSeconds = 6;
const house: Row['house'] = {
  machines: 3,
  env: {
    MAKIMA_LEASE_SECONDS: String(leaseSeconds),
    MAKIMA_TIMINGS: JSON.stringify({ heartbeatMs: 500, leaseTickMs: 100 }),
  },
};

export const fleetRows = {
  T32: {
    about: `a machine gone for good; its tasks go on elsewhere after their lease of ${leaseSeconds} s`,
    house,
    faults: { gone: goneAndSentAway(15_000) },
    gapMs: 20_000,
    seconds: 90,
    watchers: [noOrphans],
  },
  T33: {
    about: 'a machine cut off for longer than its leases, and back with agents that work on',
    house,
    faults: { partitioned: partitioned(15_000) },
    gapMs: 15_000,
    seconds: 90,
    watchers: [noOrphans],
  },
  T35: {
    about: 'two daemons with one key',
    faults: { twice },
    gapMs: 15_000,
    seconds: 75,
  },
} as const satisfies Readonly<Record<string, Row>>;
