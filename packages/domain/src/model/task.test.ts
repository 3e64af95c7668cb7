/**
 * Many lives of a task and its attempts: they are assigned, start, end, are lost, paused and taken up again,
 * while reports of attempts long given up keep coming in.
 */
import fc from 'fast-check';
import { it } from 'vitest';
import { decideRetry, retryReasons, type RetryReason } from '../retry.ts';
import {
  attemptStates,
  checkAttemptTransition,
  checkTaskTransition,
  isAttemptLive,
  isTaskComplete,
  isTaskFinal,
  taskStatuses,
  type AttemptState,
  type TaskStatus,
} from '../task.ts';
import { holds, must, step, type Step } from './test-model.ts';

interface World {
  readonly isSupervisor: boolean;
  status: TaskStatus;
  /** State of each attempt; number n stands at n - 1. */
  readonly attempts: AttemptState[];
  retries: number;
  /** How attempts ended the first time, as they were seen. */
  readonly ends: Map<number, AttemptState>;
  /** The status with which the task ended, if it did. */
  end: TaskStatus | null;
}

const maxRetries = 3;

const begin = (isSupervisor: boolean) => (): World => ({
  isSupervisor,
  status: 'pending',
  attempts: [],
  retries: 0,
  ends: new Map(),
  end: null,
});

function move(world: World, to: TaskStatus): boolean {
  if (!checkTaskTransition(world.status, to).ok) return false;
  world.status = to;
  if (isTaskFinal(to)) world.end ??= to;
  return true;
}

/** What a report of attempt `n` does; of one that is over it does nothing. */
function endAttempt(world: World, n: number, to: AttemptState): boolean {
  const state = world.attempts[n - 1];
  if (state === undefined || !checkAttemptTransition(state, to).ok) return false;
  world.attempts[n - 1] = to;
  if (!isAttemptLive(to) && !world.ends.has(n)) world.ends.set(n, to);
  return true;
}

const newest = (world: World): number => world.attempts.length;
const isLive = (world: World): boolean =>
  isAttemptLive(world.attempts.at(-1) ?? 'lost') && !isTaskFinal(world.status);

function lose(world: World, reason: RetryReason): void {
  if (!endAttempt(world, newest(world), 'lost') || !move(world, 'interrupted')) return;
  const { isSupervisor, retries } = world;
  const decision = decideRetry({
    reason,
    isSupervisor,
    retryCount: retries,
    maxRetries,
    livedMs: 0,
  });
  if (decision.kind === 'retry') world.retries += 1;
  move(world, decision.kind === 'fail' ? 'failed' : 'pending');
}

const losses: fc.Arbitrary<Step<World>> = fc.constantFrom(...retryReasons).map((reason) => ({
  name: `lost: ${reason}`,
  may: isLive,
  happen: (world) => lose(world, reason),
}));

/** A report of any attempt there ever was, or never was. */
const reports: fc.Arbitrary<Step<World>> = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.constantFrom(...attemptStates))
  .map(([n, to]) => ({
    name: `report of attempt ${n}: ${to}`,
    happen: (world) => {
      const current = n === newest(world) && isLive(world);
      if (!endAttempt(world, n, to) || !current) return;
      if (to === 'running') move(world, 'running');
      else if (to === 'done' || to === 'failed' || to === 'cancelled') move(world, to);
      else move(world, 'interrupted');
    },
  }));

const steps: fc.Arbitrary<Step<World>>[] = [
  step('assigned', (world) => {
    if (isAttemptLive(world.attempts.at(-1) ?? 'lost') || !move(world, 'starting')) return;
    world.attempts.push('assigned');
  }),
  step('started', (world) => {
    if (endAttempt(world, newest(world), 'running')) move(world, 'running');
  }),
  step('paused', (world) => {
    if (move(world, 'paused')) endAttempt(world, newest(world), 'cancelled');
  }),
  step('taken up again', (world) => {
    if (world.status === 'paused' || world.status === 'interrupted') {
      move(world, 'interrupted');
      move(world, 'pending');
    }
  }),
  step('cancelled', (world) => {
    if (move(world, 'cancelled')) endAttempt(world, newest(world), 'cancelled');
  }),
  step('merged', (world) => void move(world, 'merged')),
  losses,
  reports,
  step('ends well', (world) => {
    if (endAttempt(world, newest(world), 'done')) move(world, 'done');
  }),
];

function invariants(world: World): void {
  const { attempts, status, end } = world;
  const live = attempts.filter(isAttemptLive);
  must(live.length <= 1, 'one attempt lives at a time');
  if (live.length === 1) {
    must(isAttemptLive(attempts.at(-1) ?? 'lost'), 'it is the newest that lives');
    must(status === 'starting' || status === 'running', 'who lives is at work');
  }
  if (status === 'running') must(attempts.at(-1) === 'running', 'who runs has an agent');
  if (isTaskComplete(status))
    must(attempts.at(-1) === 'done', 'work is done by its newest attempt');
  for (const [n, state] of world.ends) must(attempts[n - 1] === state, 'what ended stays ended');
  if (end !== null)
    must(status === end || (end === 'done' && status === 'merged'), 'a task ends once');
  must(!isTaskComplete(status) || isTaskFinal(status), 'complete is final');
  must(world.isSupervisor || world.retries <= maxRetries, 'retries are bounded');
}

const seen = (all: readonly TaskStatus[]) => ({ of: ({ status }: World) => status, all });

it('a task lives by one attempt at a time, and what is over stays over', () => {
  holds<World>({ name: 'task', begin: begin(false), steps, invariants, seen: seen(taskStatuses) });
});

it('a supervisor is never given up for what befell its machine', () => {
  const endings = [...steps.slice(0, 4), losses.filter(({ name }) => !name.includes('failed'))];
  holds<World>({
    name: 'task',
    begin: begin(true),
    steps: endings,
    runs: 3_000,
    seen: seen(['pending', 'starting', 'running', 'paused']),
    invariants: (world) => {
      invariants(world);
      must(world.end !== 'failed', 'a machine is no reason to give a supervisor up');
    },
  });
});
