/**
 * What a supervisor is doing: nine states, which may follow which, and what the save points write.
 *
 * Law: state and activity change together, in the transaction of the verb that causes them (seeds 000 and
 * 002). Progress is measured, not told: `progress.ts`.
 */
import { type Verdict, no, yes } from './verdict.ts';

export const supervisorStates = [
  'initializing',
  'idle',
  'working',
  'waiting_for_user',
  'waiting_for_tasks',
  'blocked',
  'completed',
  'failed',
  'interrupted',
] as const;

export type SupervisorState = (typeof supervisorStates)[number];

const ends = ['completed', 'failed', 'interrupted'] as const;

export const supervisorTransitions: Readonly<Record<SupervisorState, readonly SupervisorState[]>> =
  {
    initializing: ['working', ...ends],
    // Woken by a message it may wait again at once; and its turn may end while a wait is open.
    idle: ['working', 'waiting_for_user', 'waiting_for_tasks', ...ends],
    working: ['idle', 'waiting_for_user', 'waiting_for_tasks', 'blocked', ...ends],
    waiting_for_user: ['working', 'idle', 'waiting_for_tasks', ...ends],
    waiting_for_tasks: ['working', 'idle', 'waiting_for_user', ...ends],
    blocked: ['working', ...ends],
    completed: [],
    failed: [],
    interrupted: ['initializing', 'completed', 'failed'],
  };

export function checkSupervisorTransition(from: SupervisorState, to: SupervisorState): Verdict {
  if (from === to || supervisorTransitions[from].includes(to)) return yes;
  return no(`A supervisor that is ${from} cannot become ${to}.`);
}

export function isSupervisorFinal(state: SupervisorState): boolean {
  return state === 'completed' || state === 'failed';
}

/** What a save point writes. */
export interface SupervisorCondition {
  readonly state: SupervisorState;
  readonly activity: string;
}

/** After a spawn: at work on something new. */
export function afterSpawn(taskName: string): SupervisorCondition {
  return { state: 'working', activity: `Spawned task ${taskName}` };
}

/** After the last open question was answered. */
export function afterLastAnswer(): SupervisorCondition {
  return { state: 'working', activity: 'Resumed after user response' };
}

/** After a question that the supervisor waits for. */
export function afterQuestion(question: string): SupervisorCondition {
  return {
    state: 'waiting_for_user',
    activity: `Waiting for an answer: ${shorten(question)}`,
  };
}

/** When it begins to wait for tasks. */
export function afterWait(taskCount: number): SupervisorCondition {
  const tasks = taskCount === 1 ? '1 task' : `${taskCount} tasks`;
  return { state: 'waiting_for_tasks', activity: `Waiting for ${tasks}` };
}

/** When what it waited for has come, or the time of its wait is over. */
export function afterWake(why: 'satisfied' | 'timed_out'): SupervisorCondition {
  const words =
    why === 'satisfied' ? 'what it waited for has come' : 'the time of its wait is over';
  return { state: 'working', activity: `Woken: ${words}` };
}

/** When it may not go on: its contract is blocked, its budget is used up, its account is at a limit. */
export function afterBlock(why: string): SupervisorCondition {
  return { state: 'blocked', activity: `Blocked: ${shorten(why)}` };
}

/** When that is over. */
export function afterUnblock(why: string): SupervisorCondition {
  return { state: 'working', activity: `Goes on: ${shorten(why)}` };
}

/** When a new epoch begins after its agent or machine went away. */
export function afterRestoration(): SupervisorCondition {
  return {
    state: 'initializing',
    activity: 'Restored after an interruption',
  };
}

const activityMaxChars = 80;

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= activityMaxChars ? line : `${line.slice(0, activityMaxChars - 3)}...`;
}
