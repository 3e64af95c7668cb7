/**
 * Many lives of a supervisor: it works, asks, waits, sleeps, is woken, lost and restored, as time goes by.
 */
import fc from 'fast-check';
import { it } from 'vitest';
import { limits } from '../limits.ts';
import { mayPark, wakeReason, type Come, type WakeReason } from '../parking.ts';
import { restorationAllowed } from '../restoration.ts';
import {
  afterLastAnswer,
  afterQuestion,
  afterRestoration,
  afterSpawn,
  afterWait,
  afterWake,
  checkSupervisorTransition,
  isSupervisorFinal,
  supervisorStates,
  type SupervisorCondition,
  type SupervisorState,
} from '../supervisor.ts';
import { holds, must, step, type Step } from './test-model.ts';

interface World {
  nowMs: number;
  sinceMs: number;
  state: SupervisorState;
  before: SupervisorState;
  openWaits: number;
  openQuestions: number;
  openTasks: number;
  isCompleting: boolean;
  parked: boolean;
  /** What came since it fell asleep. */
  come: { -readonly [K in keyof Come]: number };
  epoch: number;
  readonly restoredAt: Date[];
  end: SupervisorState | null;
  /** Why it was last woken. */
  woken: WakeReason | null;
}

const nothing = () => ({ satisfied: 0, timedOut: 0, answers: 0, messages: 0 });
const parkAfterMs = 120_000;

const begin = (): World => ({
  nowMs: Date.UTC(2030, 0, 1),
  sinceMs: Date.UTC(2030, 0, 1),
  state: 'initializing',
  before: 'initializing',
  openWaits: 0,
  openQuestions: 0,
  openTasks: 0,
  isCompleting: false,
  parked: false,
  come: nothing(),
  epoch: 1,
  restoredAt: [],
  end: null,
  woken: null,
});

function move(world: World, to: SupervisorState): boolean {
  if (!checkSupervisorTransition(world.state, to).ok) return false;
  if (to !== world.state) world.sinceMs = world.nowMs;
  world.before = world.state;
  world.state = to;
  if (isSupervisorFinal(to)) world.end ??= to;
  return true;
}

function settle(world: World, condition: SupervisorCondition): boolean {
  if (!move(world, condition.state)) return false;
  must(condition.activity.length < 200, 'an activity is a line');
  return true;
}

const awake = (world: World): boolean => !world.parked && world.state !== 'interrupted';

/** Whatever came is looked at at once: this is what mails its wake. */
function wakeIfCome(world: World): void {
  if (!world.parked) return;
  const why = wakeReason(world, world.come);
  if (why === null) return;
  world.parked = false;
  world.woken = why;
  world.come = nothing();
  world.epoch += 1;
  settle(world, afterWake(why === 'timed_out' ? 'timed_out' : 'satisfied'));
}

type Source = 'openWaits' | 'openQuestions' | 'openTasks';

/** Something that was open ended; asleep, it counts as come. */
const ends = (name: string, of: Source, as: keyof Come | null): fc.Arbitrary<Step<World>> =>
  step(
    name,
    (world) => {
      world[of] -= 1;
      if (world.parked && as !== null && (of !== 'openTasks' || world.state === 'idle'))
        world.come[as] += 1;
      if (of === 'openQuestions' && world.openQuestions === 0 && awake(world))
        settle(world, afterLastAnswer());
      wakeIfCome(world);
    },
    (world) => world[of] > 0,
  );

const passes: fc.Arbitrary<Step<World>> = fc
  .integer({ min: 1, max: 4 * 60_000 })
  .map((ms) => ({ name: `${ms} ms pass`, happen: (world) => void (world.nowMs += ms) }));

const fallsAsleep: fc.Arbitrary<Step<World>> = step('waits long and falls asleep', (w) => {
  const { state, openWaits, openQuestions, openTasks, isCompleting } = w;
  const pending = { state, openWaits, openQuestions, openTasks, isCompleting };
  w.nowMs += parkAfterMs - 1;
  const facts = { ...pending, since: new Date(w.sinceMs), unreadMessages: 0, parkAfterMs };
  if (awake(w) && mayPark(facts, new Date(w.nowMs))) w.parked = true;
});

const isLost = step<World>('its machine is lost', (w) => void move(w, 'interrupted'), awake);

const isRestored = step<World>('is restored', (w) => {
  if (w.state !== 'interrupted') return;
  if (!restorationAllowed(w.restoredAt, new Date(w.nowMs)).ok) return;
  settle(w, afterRestoration());
  w.restoredAt.push(new Date(w.nowMs));
  w.epoch += 1;
});

const steps: fc.Arbitrary<Step<World>>[] = [
  passes,
  step('spawns', (w) => void (settle(w, afterSpawn('build')) && (w.openTasks += 1)), awake),
  step('asks', (w) => void (settle(w, afterQuestion('Which?')) && (w.openQuestions += 1)), awake),
  step('waits', (w) => void (settle(w, afterWait(2)) && (w.openWaits += 1)), awake),
  step('ends its turn', (w) => void move(w, 'idle'), awake),
  ends('answer', 'openQuestions', 'answers'),
  ends('question withdrawn', 'openQuestions', null),
  ends('wait satisfied', 'openWaits', 'satisfied'),
  ends('wait over', 'openWaits', 'timedOut'),
  ends('wait cancelled', 'openWaits', null),
  ends('task ends', 'openTasks', 'satisfied'),
  step('message', (w) => {
    if (w.parked) w.come.messages += 1;
    wakeIfCome(w);
  }),
  step('its contract completes', (w) => void (w.isCompleting = true)),
  step('a person says no', (w) => {
    if (!w.isCompleting) return;
    w.isCompleting = false;
    if (w.parked) w.come.messages += 1;
    wakeIfCome(w);
  }),
  fallsAsleep,
  fallsAsleep,
  isLost,
  isLost,
  isRestored,
  isRestored,
  fc.constantFrom(...supervisorStates).map((to) => ({
    name: `wants ${to}`,
    may: awake,
    happen: (w) => void move(w, to),
  })),
];

const leaving: readonly SupervisorState[] = ['interrupted', 'initializing', 'completed', 'failed'];
const resting: readonly SupervisorState[] = ['idle', 'waiting_for_user', 'waiting_for_tasks'];

function invariants(w: World): void {
  must(w.end === null || w.state === w.end, 'it ends once');
  if (w.before === 'interrupted')
    must(leaving.includes(w.state), 'out of an interruption leads a restoration, or the end');
  if (w.parked) {
    must(resting.includes(w.state), 'only who waits sleeps');
    const open = w.openWaits + w.openQuestions + w.openTasks;
    must(open > 0 || w.isCompleting, 'who sleeps will be woken, or is over');
    must(
      Object.values(w.come).every((n) => n === 0),
      'nobody sleeps over what came',
    );
  }
  for (const first of w.restoredAt) {
    const until = first.getTime() + limits.restorationWindowMs;
    const within = w.restoredAt.filter((at) => at >= first && at.getTime() < until);
    must(within.length <= limits.restorationsPerWindowMax, 'restorations are bounded');
  }
}

const seen = {
  of: ({ parked, woken, state }: World) =>
    parked ? 'parked' : state === 'working' && woken !== null ? `woken: ${woken}` : state,
  all: [
    ...supervisorStates,
    'parked',
    ...['satisfied', 'timed_out', 'answered', 'message', 'withdrawn'].map((why) => `woken: ${why}`),
  ],
};

it('a supervisor comes back from everything, sleeps over nothing, and is restored within bounds', () => {
  holds<World>({ name: 'supervisor', begin, steps, invariants, seen, stepsMax: 80 });
});
