/** The placement rule: its laws as properties, its reasons and its order as examples. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DaemonSlot,
  type PendingTask,
  type Placement,
  agingStepMs,
  crowdedDaemons,
  effectivePriority,
  place,
  supervisorPlaces,
} from './placement.ts';

const now = new Date('2030-01-01T12:00:00Z');
const ago = (ms: number) => new Date(now.getTime() - ms);

function task(taskId: string, change: Partial<PendingTask> = {}): PendingTask {
  return {
    taskId,
    contractId: 'c1',
    isSupervisor: false,
    priority: 0,
    pendingSince: ago(1000),
    agent: 'scripted',
    failedDaemonIds: [],
    contractRunning: 0,
    ...change,
  };
}

function daemon(daemonId: string, change: Partial<DaemonSlot> = {}): DaemonSlot {
  return {
    daemonId,
    maxConcurrent: 4,
    running: 0,
    runningSupervisors: 0,
    agents: ['scripted', 'claude'],
    ...change,
  };
}

const order = (placement: Placement) => placement.assignments.map(({ taskId }) => taskId);

function reasonOf(pending: PendingTask, daemons: readonly DaemonSlot[]) {
  const { assignments, unplaced } = place([pending], daemons, now);
  expect(assignments).toEqual([]);
  return unplaced[0]?.reason;
}

const anyTask = (taskId: string): fc.Arbitrary<PendingTask> =>
  fc.record({
    taskId: fc.constant(taskId),
    contractId: fc.constantFrom('c1', 'c2', 'c3'),
    isSupervisor: fc.boolean(),
    priority: fc.integer({ min: -2, max: 2 }),
    pendingSince: fc.integer({ min: 0, max: 3 * agingStepMs }).map(ago),
    agent: fc.constantFrom('scripted', 'claude'),
    failedDaemonIds: fc.subarray(['d1', 'd2', 'd3']),
    preferredDaemonId: fc.constantFrom(null, 'd1', 'd2'),
    boundDaemonId: fc.constantFrom(null, null, null, 'd1', 'gone'),
    notBefore: fc.constantFrom(null, null, ago(5), new Date(now.getTime() + 5)),
    contractRunning: fc.nat(3),
  });

const anyTasks = fc.integer({ min: 0, max: 12 }).chain((count) => {
  const names = Array.from({ length: count }, (_, index) => `t${index}`);
  return fc.tuple(...names.map(anyTask));
});

const anyDaemon = (daemonId: string): fc.Arbitrary<DaemonSlot> =>
  fc
    .record({
      maxConcurrent: fc.nat(4),
      running: fc.nat(5),
      supervisors: fc.nat(5),
      agents: fc.subarray(['scripted', 'claude']),
      limited: fc.constantFrom(undefined, [
        { agent: 'claude', until: new Date(now.getTime() + 60_000) },
      ]),
    })
    .map(({ supervisors, ...slot }) => ({
      daemonId,
      ...slot,
      runningSupervisors: Math.min(supervisors, slot.running),
    }));

const anyDaemons = fc
  .subarray(['d1', 'd2', 'd3'])
  .chain((ids) => fc.tuple(...ids.map((id) => anyDaemon(id))));

describe('laws', () => {
  it('never goes above capacity, never against an exclusion, a binding, an agent or a limit', () => {
    fc.assert(
      fc.property(anyTasks, anyDaemons, (pending, daemons) => {
        const { assignments } = place(pending, daemons, now);
        for (const slot of daemons) {
          const here = assignments.filter(({ daemonId }) => daemonId === slot.daemonId);
          const tasks = here.map(({ taskId }) => pending.find((row) => row.taskId === taskId)!);
          const room = Math.max(0, slot.maxConcurrent - slot.running);
          expect(here.length).toBeLessThanOrEqual(room);
          const supervisors = tasks.filter((row) => row.isSupervisor).length;
          if (supervisors > 0) {
            const all = slot.runningSupervisors + supervisors;
            expect(all).toBeLessThanOrEqual(supervisorPlaces(slot.maxConcurrent));
          }
          for (const row of tasks) {
            expect(row.failedDaemonIds).not.toContain(slot.daemonId);
            expect(slot.agents).toContain(row.agent);
            expect([null, slot.daemonId]).toContain(row.boundDaemonId);
            expect(slot.limited === undefined || row.agent !== 'claude').toBe(true);
            expect(row.notBefore === null || row.notBefore! <= now).toBe(true);
          }
        }
      }),
    );
  });

  it('accounts for every task once, placed or with a reason', () => {
    fc.assert(
      fc.property(anyTasks, anyDaemons, (pending, daemons) => {
        const { assignments, unplaced } = place(pending, daemons, now);
        const seen = [...assignments, ...unplaced].map(({ taskId }) => taskId).toSorted();
        expect(seen).toEqual(pending.map(({ taskId }) => taskId).toSorted());
      }),
    );
  });

  it('does not depend on the order of rows', () => {
    fc.assert(
      fc.property(anyTasks, anyDaemons, (pending, daemons) => {
        const straight = place(pending, daemons, now);
        expect(place(pending.toReversed(), daemons.toReversed(), now)).toEqual(straight);
      }),
    );
  });

  it('leaves no task behind while a daemon that may take it has room', () => {
    fc.assert(
      fc.property(anyTasks, anyDaemons, (pending, daemons) => {
        const first = place(pending, daemons, now);
        const after = daemons.map((slot) => {
          const here = first.assignments.filter(({ daemonId }) => daemonId === slot.daemonId);
          const supervisors = here.filter(
            ({ taskId }) => pending.find((row) => row.taskId === taskId)!.isSupervisor,
          );
          return {
            ...slot,
            running: slot.running + here.length,
            runningSupervisors: slot.runningSupervisors + supervisors.length,
          };
        });
        const left = pending.filter((row) => first.unplaced.some((u) => u.taskId === row.taskId));
        expect(place(left, after, now).assignments).toEqual([]);
      }),
    );
  });

  it('starves nobody: beside a stream of more important tasks, an old one gets its place', () => {
    const old = task('old', { priority: -3, contractId: 'poor' });
    let waited = 0;
    for (; waited < 20; waited += 1) {
      const at = new Date(now.getTime() + waited * agingStepMs);
      const fresh = task(`fresh${waited}`, { priority: 3, pendingSince: at, contractId: 'rich' });
      const { assignments } = place([old, fresh], [daemon('d1', { maxConcurrent: 1 })], at);
      if (assignments[0]?.taskId === 'old') break;
    }
    expect(waited).toBeLessThanOrEqual(7);
  });

  it('empties any finite queue when places come free', () => {
    fc.assert(
      fc.property(anyTasks, (tasks) => {
        let left = tasks.map((row) => ({
          ...row,
          failedDaemonIds: [],
          boundDaemonId: null,
          notBefore: null,
        }));
        const rounds = left.length;
        for (let round = 0; round < rounds; round += 1) {
          const done = new Set(order(place(left, [daemon('d1', { maxConcurrent: 1 })], now)));
          left = left.filter(({ taskId }) => !done.has(taskId));
        }
        expect(left).toEqual([]);
      }),
    );
  });
});

describe('order', () => {
  it('takes supervisors first, whatever the priority', () => {
    const pending = [
      task('t', { priority: 9 }),
      task('s', { isSupervisor: true, contractId: 'c2' }),
    ];
    expect(order(place(pending, [daemon('d1')], now))).toEqual(['s', 't']);
  });

  it('then priority, then age, then the id', () => {
    const pending = [
      task('b'),
      task('a'),
      task('older', { pendingSince: ago(5000) }),
      task('urgent', { priority: 1, pendingSince: ago(1) }),
    ];
    expect(order(place(pending, [daemon('d1')], now))).toEqual(['urgent', 'older', 'a', 'b']);
  });

  it('gives turns to contracts, the one with the fewest running first', () => {
    const pending = [
      ...['a1', 'a2', 'a3'].map((id) => task(id, { contractId: 'a', contractRunning: 2 })),
      ...['b1', 'b2', 'b3'].map((id) => task(id, { contractId: 'b', pendingSince: ago(10) })),
    ];
    const placed = order(place(pending, [daemon('d1', { maxConcurrent: 6 })], now));
    expect(placed).toEqual(['b1', 'b2', 'a1', 'b3', 'a2', 'a3']);
  });

  it('turns waiting into priority, a step each quarter of an hour', () => {
    const waiting = task('t', { priority: 1, pendingSince: ago(2 * agingStepMs + 1) });
    expect(effectivePriority(waiting, now)).toBe(3);
    expect(effectivePriority(task('t', { pendingSince: ago(-5000) }), now)).toBe(0);
  });
});

describe('choice of a daemon', () => {
  it('prefers where the session lives, else the one with most room, else by id', () => {
    const daemons = [
      daemon('d1', { running: 1 }),
      daemon('d2'),
      daemon('d3', { running: 3 }),
      daemon('d4'),
    ];
    const chosen = (change: Partial<PendingTask>) =>
      place([task('t', change)], daemons, now).assignments[0]?.daemonId;
    expect(chosen({})).toBe('d2');
    expect(chosen({ preferredDaemonId: 'd3' })).toBe('d3');
    expect(chosen({ preferredDaemonId: 'gone' })).toBe('d2');
    expect(chosen({ failedDaemonIds: ['d2', 'd4'] })).toBe('d1');
    expect(chosen({ boundDaemonId: 'd3' })).toBe('d3');
  });

  it('spreads over daemons', () => {
    const pending = ['a', 'b', 'c', 'd'].map((id) => task(id));
    const daemons = [daemon('d1', { maxConcurrent: 2 }), daemon('d2', { maxConcurrent: 2 })];
    const { assignments } = place(pending, daemons, now);
    expect(assignments.map(({ daemonId }) => daemonId)).toEqual(['d1', 'd2', 'd1', 'd2']);
  });

  it('keeps a place for ordinary tasks on a daemon with two or more', () => {
    expect([0, 1, 2, 5].map(supervisorPlaces)).toEqual([0, 1, 1, 4]);
    const pending = [
      task('s1', { isSupervisor: true }),
      task('s2', { isSupervisor: true, contractId: 'c2' }),
      task('t'),
    ];
    const placement = place(pending, [daemon('d1', { maxConcurrent: 2 })], now);
    expect(order(placement)).toEqual(['s1', 't']);
    expect(placement.unplaced).toEqual([
      {
        taskId: 's2',
        reason: { kind: 'no_capacity', daemonIds: ['d1'], reservedForTasks: true },
      },
    ]);
  });
});

describe('crowded machines', () => {
  const full = { running: 4 };

  it('are those that are full for what waits', () => {
    const placement = place(
      [task('t'), task('u', { boundDaemonId: 'd2' })],
      [daemon('d1', full), daemon('d2', full)],
      now,
    );
    expect(crowdedDaemons(placement)).toEqual(new Set(['d1', 'd2']));
    const bound = place(
      [task('u', { boundDaemonId: 'd2' })],
      [daemon('d1'), daemon('d2', full)],
      now,
    );
    expect(crowdedDaemons(bound)).toEqual(new Set(['d2']));
  });

  it('are none where everything finds a place, or waits for something else', () => {
    expect(crowdedDaemons(place([task('t')], [daemon('d1')], now))).toEqual(new Set());
    const other = place([task('t', { agent: 'codex' })], [daemon('d1', full)], now);
    expect(crowdedDaemons(other)).toEqual(new Set());
  });
});

describe('a supervisor that was brought back', () => {
  const lead = task('lead', { isSupervisor: true, boundDaemonId: 'd1', pendingSince: ago(1) });

  it('goes before every task that has waited for longer, whatever their priority', () => {
    const waits = task('old', {
      contractId: 'c2',
      priority: 2,
      pendingSince: ago(9 * agingStepMs),
    });
    const placement = place([waits, lead], [daemon('d1', { running: 3 })], now);
    expect(order(placement)).toEqual(['lead']);
  });

  it('is told that the last place is kept for tasks, also of the one machine that can run it', () => {
    const slots = { running: 3, runningSupervisors: 3 };
    expect(reasonOf(lead, [daemon('d1', slots)])).toEqual({
      kind: 'no_capacity',
      daemonIds: ['d1'],
      reservedForTasks: true,
    });
    expect(reasonOf(lead, [daemon('d1', { ...slots, running: 4 })])).toEqual({
      kind: 'waits_for_its_daemon',
      daemonId: 'd1',
      condition: 'full',
    });
  });
});

describe('reasons', () => {
  const until = new Date(now.getTime() + 60_000);

  it('name what is missing, most basic first', () => {
    expect(reasonOf(task('t'), [])).toEqual({ kind: 'no_daemon' });
    expect(reasonOf(task('t', { notBefore: until }), [daemon('d1')])).toEqual({
      kind: 'backing_off',
      until,
    });
    expect(reasonOf(task('t', { failedDaemonIds: ['d1'] }), [daemon('d1')])).toEqual({
      kind: 'excluded',
      daemonIds: ['d1'],
    });
    expect(reasonOf(task('t', { agent: 'codex' }), [daemon('d1')])).toEqual({
      kind: 'agent_missing',
      agent: 'codex',
    });
    expect(reasonOf(task('t'), [daemon('d1', { running: 9 })])).toEqual({
      kind: 'no_capacity',
      daemonIds: ['d1'],
      reservedForTasks: false,
    });
  });

  it('name the earliest end of a limit, and a limit that is over does not count', () => {
    const later = new Date(now.getTime() + 120_000);
    const limited = (daemonId: string, end: Date) =>
      daemon(daemonId, { limited: [{ agent: 'scripted', until: end }] });
    expect(reasonOf(task('t'), [limited('d1', later), limited('d2', until)])).toEqual({
      kind: 'account_limited',
      agent: 'scripted',
      until,
    });
    expect(order(place([task('t')], [limited('d1', now)], now))).toEqual(['t']);
  });

  it('say that it waits for its own daemon, and in what condition that is', () => {
    const bound = task('t', { boundDaemonId: 'd2' });
    const reason = (condition: string) => ({
      kind: 'waits_for_its_daemon',
      daemonId: 'd2',
      condition,
    });
    expect(reasonOf(bound, [daemon('d1')])).toEqual(reason('offline'));
    expect(reasonOf(bound, [daemon('d2', { maxConcurrent: 0 })])).toEqual(reason('full'));
    expect(reasonOf({ ...bound, failedDaemonIds: ['d2'] }, [daemon('d2')])).toEqual(
      reason('excluded'),
    );
  });
});

it('places thousands of tasks quickly enough for a sweep', () => {
  const pending = Array.from({ length: 3000 }, (_, index) =>
    task(`t${index}`, { contractId: `c${index % 50}` }),
  );
  const daemons = Array.from({ length: 50 }, (_, index) =>
    daemon(`d${index}`, { maxConcurrent: 20 }),
  );
  const { assignments, unplaced } = place(pending, daemons, now);
  expect([assignments.length, unplaced.length]).toEqual([1000, 2000]);
});
