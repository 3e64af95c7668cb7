/**
 * A daemon and a store that never compare their clocks: beats and answers are lost, late and doubled, the
 * daemon's clock runs a little fast or slow, its loop is held up. Behind an expired lease no agent works.
 */
import fc from 'fast-check';
import { it } from 'vitest';
import { leaseMs, leaseUntil, leaseVerdict, mustFreeze, type Lease } from '../lease.ts';
import { holds, must, step, type Step } from './test-model.ts';

interface Beat {
  /** When it was sent, by the daemon's clock. */
  readonly sentMs: number;
  /** The store renewed for it. */
  renewed: boolean;
}

interface World {
  /** Real time since the lease was given. */
  nowMs: number;
  /** What the daemon's clock counts for a second that passes. */
  readonly rate: number;
  lease: Lease | null;
  /** Given up by the store, once and for all. */
  lost: boolean;
  readonly flying: Beat[];
  readonly answers: Beat[];
  leasedAtMs: number;
  frozen: boolean;
  /** When its loop last looked. */
  lookedMs: number;
}

const storeNow = (world: World): Date => new Date(Date.UTC(2030, 0, 1) + world.nowMs);
const daemonNow = (world: World): number => 7_000_000 + world.nowMs * world.rate;

const begin = (rate: number) => (): World => {
  const world: World = {
    nowMs: 0,
    rate,
    lease: null,
    lost: false,
    flying: [],
    answers: [],
    leasedAtMs: 7_000_000,
    frozen: false,
    lookedMs: 0,
  };
  world.lease = { expiresAt: leaseUntil(storeNow(world)) };
  return world;
};

/** The daemon's loop looks at least this often; agents are niced so that it can. */
const lookEveryMs = 5_000;

function look(world: World): void {
  world.frozen = mustFreeze(world.leasedAtMs, daemonNow(world));
  world.lookedMs = world.nowMs;
}

const steps: fc.Arbitrary<Step<World>>[] = [
  fc.integer({ min: 1, max: 20_000 }).map((ms) => ({
    name: `${ms} ms pass`,
    happen: (world) => {
      for (let left = ms; left > 0;) {
        const part = Math.min(left, world.lookedMs + lookEveryMs - world.nowMs);
        world.nowMs += part;
        left -= part;
        if (world.nowMs - world.lookedMs >= lookEveryMs) look(world);
      }
    },
  })),
  step('beat sent', (world) => {
    world.flying.push({ sentMs: daemonNow(world), renewed: false });
  }),
  fc.nat().map((n) => ({
    name: `beat ${n} arrives, and may arrive again`,
    may: (world) => world.flying.length > 0,
    happen: (world) => {
      const beat = world.flying[n % world.flying.length];
      if (beat === undefined || world.lost) return;
      if (leaseVerdict(world.lease, storeNow(world)).kind !== 'live') return;
      const before = world.lease?.expiresAt ?? new Date(0);
      world.lease = { expiresAt: leaseUntil(storeNow(world)) };
      must(world.lease.expiresAt >= before, 'a renewal shortens nothing');
      world.answers.push({ ...beat, renewed: true });
    },
  })),
  step('beats are lost', (world) => void world.flying.splice(0)),
  fc.nat().map((n) => ({
    name: `answer ${n} arrives`,
    may: (world) => world.answers.length > 0,
    happen: (world) => {
      const { sentMs = 0 } = world.answers[n % world.answers.length] ?? {};
      world.leasedAtMs = Math.max(world.leasedAtMs, sentMs);
      look(world);
    },
  })),
  step('answers are lost', (world) => void world.answers.splice(0)),
  step('the sweep looks', (world) => {
    if (leaseVerdict(world.lease, storeNow(world)).kind === 'expired') world.lost = true;
  }),
];

function invariants(world: World): void {
  const verdict = leaseVerdict(world.lease, storeNow(world));
  if (verdict.kind === 'live') must(verdict.remainingMs <= leaseMs, 'a lease is bounded');
  else must(world.frozen, 'no agent works behind an expired lease');
  must(!world.lost || world.frozen, 'no agent works on what was given up');
}

const seen = {
  of: ({ lost, frozen }: World) => (lost ? 'lost' : frozen ? 'frozen' : 'at work'),
  all: ['at work', 'frozen', 'lost'],
};

it.each([0.9, 1, 1.1])(
  'with a clock that runs at %f, none works behind an expired lease',
  (rate) => {
    holds<World>({ name: 'lease', begin: begin(rate), steps, invariants, seen, runs: 3_000 });
  },
);
