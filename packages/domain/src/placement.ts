/**
 * THE placement rule: which pending task starts on which daemon, and why the others do not.
 *
 * Law: pure and deterministic: the same rows give the same answer whatever their order. Capacity is never
 * exceeded. Supervisors go first; then priority, which rises with waiting so that nothing starves; then the
 * contract with the fewest running tasks; then age. All rows belong to one owner.
 */

export interface PendingTask {
  readonly taskId: string;
  readonly contractId: string;
  readonly isSupervisor: boolean;
  /** Higher goes first. */
  readonly priority: number;
  /** Since when it waits for a place. */
  readonly pendingSince: Date;
  /** Kind of agent that it needs (`claude`, `scripted`, ...). */
  readonly agent: string;
  /** Daemons that failed it and are not asked again. */
  readonly failedDaemonIds: readonly string[];
  /** Where its session or working directory lives; taken when it has room. */
  readonly preferredDaemonId?: string | null | undefined;
  /** The only daemon that can run it (a repository that exists there alone). */
  readonly boundDaemonId?: string | null | undefined;
  /** Back-off after a failed attempt. */
  readonly notBefore?: Date | null | undefined;
  /** Tasks of its contract that hold a place now, on any daemon. */
  readonly contractRunning: number;
}

export interface DaemonSlot {
  /** A daemon that is connected and not draining. */
  readonly daemonId: string;
  readonly maxConcurrent: number;
  /** Places taken, assigned tasks and supervisors included. */
  readonly running: number;
  /** Of those, supervisors. */
  readonly runningSupervisors: number;
  readonly agents: readonly string[];
  /** Agents whose account is at its usage limit, and until when. */
  readonly limited?: readonly AgentLimit[] | undefined;
}

export interface AgentLimit {
  readonly agent: string;
  readonly until: Date;
}

export interface Assignment {
  readonly taskId: string;
  readonly daemonId: string;
}

export type UnplacedReason =
  | { readonly kind: 'backing_off'; readonly until: Date }
  | { readonly kind: 'no_daemon' }
  | {
      readonly kind: 'waits_for_its_daemon';
      readonly daemonId: string;
      /** As people know it, once somebody has looked. */
      readonly daemonName?: string | undefined;
      readonly condition: 'offline' | 'full' | 'excluded';
    }
  | { readonly kind: 'excluded'; readonly daemonIds: readonly string[] }
  | { readonly kind: 'agent_missing'; readonly agent: string }
  | { readonly kind: 'account_limited'; readonly agent: string; readonly until: Date }
  | {
      readonly kind: 'no_capacity';
      readonly daemonIds: readonly string[];
      /** Room is left, but a supervisor may not take the last place: its own tasks need it. */
      readonly reservedForTasks: boolean;
    };

export interface Unplaced {
  readonly taskId: string;
  readonly reason: UnplacedReason;
}

export interface Placement {
  readonly assignments: readonly Assignment[];
  readonly unplaced: readonly Unplaced[];
}

/** So long a wait counts as one step of priority. */
export const agingStepMs = 15 * 60_000;

interface Room {
  readonly slot: DaemonSlot;
  free: number;
  supervisorsLeft: number;
}

export function place(
  pending: readonly PendingTask[],
  daemons: readonly DaemonSlot[],
  now: Date,
): Placement {
  const rooms = openRooms(daemons);
  const queues = queuesByContract(pending, now);
  const assignments: Assignment[] = [];
  const unplaced: Unplaced[] = [];
  for (let next = nextTask(queues, now); next; next = nextTask(queues, now)) {
    const { queue, task } = next;
    queue.at += 1;
    const found = findRoom(task, rooms, now);
    if ('reason' in found) {
      unplaced.push({ taskId: task.taskId, reason: found.reason });
      continue;
    }
    found.room.free -= 1;
    if (task.isSupervisor) found.room.supervisorsLeft -= 1;
    queue.running += 1;
    assignments.push({ taskId: task.taskId, daemonId: found.room.slot.daemonId });
  }
  return { assignments, unplaced };
}

/** Machines that are full while work waits for a place on them. */
export function crowdedDaemons({ unplaced }: Placement): ReadonlySet<string> {
  return new Set(
    unplaced.flatMap(({ reason }) => {
      if (reason.kind === 'no_capacity') return reason.daemonIds;
      return reason.kind === 'waits_for_its_daemon' && reason.condition === 'full'
        ? [reason.daemonId]
        : [];
    }),
  );
}

/** The priority that a task has by now: its own, plus a step for each quarter of an hour that it waits. */
export function effectivePriority(task: PendingTask, now: Date): number {
  const waitedMs = Math.max(0, now.getTime() - task.pendingSince.getTime());
  return task.priority + Math.floor(waitedMs / agingStepMs);
}

/** A daemon with two or more places keeps one for ordinary tasks, so that supervisors cannot fill it. */
export function supervisorPlaces(maxConcurrent: number): number {
  return maxConcurrent <= 1 ? maxConcurrent : maxConcurrent - 1;
}

function openRooms(daemons: readonly DaemonSlot[]): readonly Room[] {
  return daemons
    .toSorted((a, b) => compareText(a.daemonId, b.daemonId))
    .map((slot) => ({
      slot,
      free: Math.max(0, slot.maxConcurrent - slot.running),
      supervisorsLeft: supervisorPlaces(slot.maxConcurrent) - slot.runningSupervisors,
    }));
}

interface Next {
  readonly queue: ContractQueue;
  readonly task: PendingTask;
}

interface ContractQueue {
  readonly tasks: readonly PendingTask[];
  at: number;
  running: number;
}

function queuesByContract(pending: readonly PendingTask[], now: Date): readonly ContractQueue[] {
  const groups = Map.groupBy(pending, (task) => task.contractId);
  return [...groups.values()].map((tasks) => ({
    tasks: tasks.toSorted((a, b) => compareUrgency(a, b, now) || compareAge(a, b)),
    at: 0,
    running: Math.max(...tasks.map((task) => task.contractRunning)),
  }));
}

/** The task that goes now, with its contract's queue. Looked up anew for each place: this is the round robin. */
function nextTask(queues: readonly ContractQueue[], now: Date): Next | undefined {
  let best: Next | undefined;
  for (const queue of queues) {
    const task = queue.tasks[queue.at];
    if (task === undefined) continue;
    const before =
      best === undefined ||
      (compareUrgency(task, best.task, now) ||
        queue.running - best.queue.running ||
        compareAge(task, best.task)) < 0;
    if (before) best = { queue, task };
  }
  return best;
}

function compareUrgency(a: PendingTask, b: PendingTask, now: Date): number {
  if (a.isSupervisor !== b.isSupervisor) return a.isSupervisor ? -1 : 1;
  return effectivePriority(b, now) - effectivePriority(a, now);
}

function compareAge(a: PendingTask, b: PendingTask): number {
  return a.pendingSince.getTime() - b.pendingSince.getTime() || compareText(a.taskId, b.taskId);
}

function findRoom(
  task: PendingTask,
  rooms: readonly Room[],
  now: Date,
): { readonly room: Room } | { readonly reason: UnplacedReason } {
  if (task.notBefore && task.notBefore.getTime() > now.getTime()) {
    return { reason: { kind: 'backing_off', until: task.notBefore } };
  }
  const bound = task.boundDaemonId ?? undefined;
  const within = bound === undefined ? rooms : rooms.filter((room) => room.slot.daemonId === bound);
  if (within.length === 0) return { reason: absent(bound) };
  const willing = within.filter((room) => !task.failedDaemonIds.includes(room.slot.daemonId));
  if (willing.length === 0) return { reason: excluded(bound, within) };
  const able = willing.filter((room) => room.slot.agents.includes(task.agent));
  if (able.length === 0) return { reason: { kind: 'agent_missing', agent: task.agent } };
  const allowed = able.filter((room) => limitOf(room, task.agent, now) === undefined);
  if (allowed.length === 0) return { reason: accountLimited(task, able, now) };
  const open = allowed.filter((room) => hasPlace(room, task));
  const room = open.find((candidate) => candidate.slot.daemonId === task.preferredDaemonId);
  const chosen = room ?? open.toSorted((a, b) => b.free - a.free)[0];
  return chosen === undefined ? { reason: full(bound, allowed) } : { room: chosen };
}

function hasPlace(room: Room, task: PendingTask): boolean {
  return room.free > 0 && (!task.isSupervisor || room.supervisorsLeft > 0);
}

function limitOf(room: Room, agent: string, now: Date): Date | undefined {
  return room.slot.limited?.find(
    (limit) => limit.agent === agent && limit.until.getTime() > now.getTime(),
  )?.until;
}

function absent(bound: string | undefined): UnplacedReason {
  return bound === undefined
    ? { kind: 'no_daemon' }
    : { kind: 'waits_for_its_daemon', daemonId: bound, condition: 'offline' };
}

function excluded(bound: string | undefined, rooms: readonly Room[]): UnplacedReason {
  return bound === undefined
    ? { kind: 'excluded', daemonIds: rooms.map((room) => room.slot.daemonId) }
    : { kind: 'waits_for_its_daemon', daemonId: bound, condition: 'excluded' };
}

function accountLimited(task: PendingTask, rooms: readonly Room[], now: Date): UnplacedReason {
  const ends = rooms
    .map((room) => limitOf(room, task.agent, now))
    .filter((end) => end !== undefined);
  const earliest = Math.min(...ends.map((end) => end.getTime()));
  return { kind: 'account_limited', agent: task.agent, until: new Date(earliest) };
}

function full(bound: string | undefined, rooms: readonly Room[]): UnplacedReason {
  // A free place that only tasks may take is told as that, also of the one daemon that can run it.
  const reservedForTasks = rooms.some((room) => room.free > 0);
  return bound === undefined || reservedForTasks
    ? {
        kind: 'no_capacity',
        daemonIds: rooms.map((room) => room.slot.daemonId),
        reservedForTasks,
      }
    : { kind: 'waits_for_its_daemon', daemonId: bound, condition: 'full' };
}

function compareText(a: string, b: string): number {
  return Number(a > b) - Number(a < b);
}
