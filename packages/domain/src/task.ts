/**
 * The life of a task and of its attempts: statuses, what may follow what, what ends a wait, what a spawn
 * must satisfy.
 *
 * Law: nobody writes a status that these tables do not allow. Work is done through the current attempt
 * only; its number is the fence. Four steps stand beyond the surface page, all for a task that loses its
 * agent at an awkward moment: `starting` to `interrupted` (lost before it gave a sign of life), `starting`
 * to `paused` (its contract is paused before it did), `starting` to `failed` (can be started nowhere),
 * `paused` to `interrupted` (its machine went away meanwhile).
 */
import { type Attention, compareAttention } from './attention-rank.ts';
import type { Limits } from './limits.ts';
import { type Verdict, no, yes } from './verdict.ts';

export const taskStatuses = [
  'pending',
  'starting',
  'running',
  'done',
  'failed',
  'interrupted',
  'paused',
  'merged',
  'cancelled',
] as const;

export type TaskStatus = (typeof taskStatuses)[number];

export const taskTransitions: Readonly<Record<TaskStatus, readonly TaskStatus[]>> = {
  pending: ['starting', 'cancelled'],
  starting: ['running', 'pending', 'interrupted', 'paused', 'failed', 'cancelled'],
  running: ['done', 'failed', 'interrupted', 'paused', 'cancelled'],
  done: ['merged'],
  failed: [],
  interrupted: ['pending', 'failed', 'cancelled'],
  paused: ['running', 'interrupted', 'cancelled'],
  merged: [],
  cancelled: [],
};

/** Whether an agent process stands behind the task: one that works, none but a wait, none until a limit ends. */
export const taskSessions = ['live', 'parked', 'limited', 'none'] as const;

export type TaskSession = (typeof taskSessions)[number];

/** No further attempt will ever be made. */
export function isTaskFinal(status: TaskStatus): boolean {
  return status === 'done' || status === 'failed' || status === 'merged' || status === 'cancelled';
}

/** Whoever waits for the task is answered when this is true. */
export function waitEnds(status: TaskStatus): boolean {
  return isTaskFinal(status);
}

/** The task reached what it was for: what a need and a gate count. */
export function isTaskComplete(status: TaskStatus): boolean {
  return status === 'done' || status === 'merged';
}

export function checkTaskTransition(from: TaskStatus, to: TaskStatus): Verdict {
  if (from === to) return no(`The task is already ${to}.`);
  const allowed = taskTransitions[from];
  if (allowed.includes(to)) return yes;
  const next = allowed.length === 0 ? 'nothing follows it' : `it may become ${allowed.join(', ')}`;
  return no(`A task that is ${from} cannot become ${to}; ${next}.`);
}

export const attemptStates = [
  'assigned',
  'running',
  'done',
  'failed',
  'lost',
  'cancelled',
  'fenced',
] as const;

export type AttemptState = (typeof attemptStates)[number];

/** An ended attempt stays as it ended; a late result is kept beside it as superseded. */
export const attemptTransitions: Readonly<Record<AttemptState, readonly AttemptState[]>> = {
  assigned: ['running', 'failed', 'lost', 'cancelled', 'fenced'],
  running: ['done', 'failed', 'lost', 'cancelled', 'fenced'],
  done: [],
  failed: [],
  lost: [],
  cancelled: [],
  fenced: [],
};

/** A live attempt has a lease; a task has at most one. */
export function isAttemptLive(state: AttemptState): boolean {
  return state === 'assigned' || state === 'running';
}

/** What is said of an attempt may change its task: it lives, and it is the newest. */
export function speaksForTask(
  task: { readonly currentAttempt: number },
  of: { readonly attempt: number; readonly state: AttemptState },
): boolean {
  return isAttemptLive(of.state) && task.currentAttempt === of.attempt;
}

export function checkAttemptTransition(from: AttemptState, to: AttemptState): Verdict {
  return attemptTransitions[from].includes(to)
    ? yes
    : no(`An attempt that is ${from} cannot become ${to}.`);
}

export interface SpawnFacts {
  /** Depth of the new task: the supervisor's own task is 0, its children 1. */
  readonly depth: number;
  /** Tasks that the contract has already, ended ones included. */
  readonly taskCount: number;
  /** Children of the same parent that are not final. */
  readonly openChildren: number;
  /** Tasks spawned in this contract within the last minute. */
  readonly spawnedLastMinute: number;
  /** UTF-8 length of the plan. */
  readonly planBytes: number;
  readonly needsCount: number;
}

export type SpawnLimits = Pick<
  Limits,
  | 'taskDepthMax'
  | 'tasksPerContractMax'
  | 'openChildrenPerSupervisorMax'
  | 'spawnsPerContractPerMinuteMax'
  | 'planMaxBytes'
  | 'needsPerTaskMax'
>;

export type SpawnVerdict =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** The limit that was met; its name holds its unit. */
      readonly limit: keyof SpawnLimits;
      readonly max: number;
      readonly actual: number;
      /** True when the same spawn may succeed later. */
      readonly retryable: boolean;
      readonly reason: string;
    };

/** May one more task be spawned? The first limit met is the answer. */
export function checkSpawn(facts: SpawnFacts, limits: SpawnLimits): SpawnVerdict {
  const rows: readonly [keyof SpawnLimits, number, string, boolean][] = [
    ['planMaxBytes', facts.planBytes, 'bytes in the plan', false],
    ['needsPerTaskMax', facts.needsCount, 'needs of one task', false],
    ['taskDepthMax', facts.depth, 'levels of tasks below the supervisor', false],
    ['tasksPerContractMax', facts.taskCount + 1, 'tasks in the contract', false],
    ['openChildrenPerSupervisorMax', facts.openChildren + 1, 'open tasks of one parent', true],
    ['spawnsPerContractPerMinuteMax', facts.spawnedLastMinute + 1, 'spawns in one minute', true],
  ];
  for (const [limit, actual, what, retryable] of rows) {
    const max = limits[limit];
    if (actual > max) {
      const reason = `Too many ${what}: ${actual}, the limit is ${max}.`;
      return { ok: false, limit, max, actual, retryable, reason };
    }
  }
  return { ok: true };
}

export interface Need {
  readonly taskId: string;
  readonly name: string;
  readonly status: TaskStatus;
}

/** All tasks that this one needs are complete. */
export function needsMet(statuses: readonly TaskStatus[]): boolean {
  return statuses.every(isTaskComplete);
}

export type NeedsVerdict =
  | { readonly kind: 'met' }
  | { readonly kind: 'waiting'; readonly on: readonly Need[] }
  /** These will never be complete: the waiting task cannot start as it stands. */
  | { readonly kind: 'never'; readonly because: readonly Need[] };

export function needsVerdict(needs: readonly Need[]): NeedsVerdict {
  const dead = needs.filter((need) => isTaskFinal(need.status) && !isTaskComplete(need.status));
  if (dead.length > 0) return { kind: 'never', because: dead };
  const open = needs.filter((need) => !isTaskComplete(need.status));
  return open.length > 0 ? { kind: 'waiting', on: open } : { kind: 'met' };
}

/**
 * What a task waits for before it can start: what it needs, and the end, however it comes, of the task whose
 * work it continues.
 */
export function startVerdict(needs: readonly Need[], source: Need | null): NeedsVerdict {
  const verdict = needsVerdict(needs);
  if (verdict.kind === 'never' || source === null || isTaskFinal(source.status)) return verdict;
  return { kind: 'waiting', on: verdict.kind === 'waiting' ? [...verdict.on, source] : [source] };
}

/** The attention of a task together with all below it: a question deep in the tree is seen at its root. */
export function compositeAttention(own: Attention, children: readonly Attention[]): Attention {
  return children.reduce((worst, next) => (compareAttention(next, worst) < 0 ? next : worst), own);
}
