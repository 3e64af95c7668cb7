/**
 * What stands still until a person acts: tasks that have no place, ends of contracts that a machine which is
 * away holds up, phases that are ready where nothing advances by itself, and supervisors that only a message
 * wakes. What `why` says of each, gathered so that a person reads every reason once.
 *
 * Law: nothing that goes on by itself (a full machine, a limit with its time, a back-off) is a standstill.
 */
import type { UnplacedReason } from './placement.ts';
import { type WhyCleanup, advanceAct, machineAway, readyWords } from './why.ts';
import { type Blocker, idleBlocker, placementBlocker } from './why-blocker.ts';

/** A pending task for which the placement rule found no place. */
export interface UnplacedTask {
  readonly id: string;
  readonly name: string;
  /** Null for the agent of a directive. */
  readonly contractId: string | null;
  readonly isSupervisor: boolean;
  readonly reason: UnplacedReason;
  readonly since: Date;
}

/** A contract that only waits for its clean-up, and what one machine owes to it. */
export interface OwedEnd extends WhyCleanup {
  readonly contractId: string;
}

export interface Standstill {
  /** Of the task or machine that has stood the longest. */
  readonly id: string;
  readonly contractId: string | null;
  readonly since: Date;
  readonly title: string;
  readonly act: string;
}

/** A contract whose phase may be left, where nothing advances by itself. */
export interface ReadyContract {
  readonly contractId: string;
  readonly slug: string;
  readonly phase: string;
  readonly nextPhase: string;
  readonly since: Date;
}

export interface StandFacts {
  readonly tasks: readonly UnplacedTask[];
  readonly ends: readonly OwedEnd[];
  readonly ready: readonly ReadyContract[];
  readonly idle: readonly IdleLead[];
}

/** A supervisor whose turn is over while nothing is under way that would wake it. */
export interface IdleLead {
  readonly taskId: string;
  readonly contractId: string;
  readonly words: string;
  readonly since: Date;
}

export function standstills({ tasks, ends, ready, idle }: StandFacts): readonly Standstill[] {
  const goOn = new Set(ready.map(({ contractId }) => contractId));
  return [
    ...tasksThatStand(tasks),
    ...endsThatStand(ends),
    ...ready.map(readyToGoOn),
    // One whose phase is ready has nothing left to do in it.
    ...idle.filter(({ contractId }) => !goOn.has(contractId)).map(leadThatStands),
  ];
}

function leadThatStands({ taskId, contractId, ...said }: IdleLead): Standstill {
  const { reason: title, act } = idleBlocker(taskId, said);
  return { id: taskId, contractId, since: said.since, title, act: act ?? whyAct(taskId) };
}

function readyToGoOn({ contractId, slug, phase, nextPhase, since }: ReadyContract): Standstill {
  const title = readyWords(phase);
  return { id: contractId, contractId, since, title, act: advanceAct(slug, nextPhase) };
}

interface Standing {
  readonly task: UnplacedTask;
  readonly blocker: Blocker;
}

/** One for each contract and reason, however many tasks share it. */
function tasksThatStand(tasks: readonly UnplacedTask[]): readonly Standstill[] {
  const standing = tasks.flatMap((task): Standing[] => {
    const blocker = placementBlocker(task.reason, task.since);
    return blocker.whoCanAct === 'person' ? [{ task, blocker }] : [];
  });
  const groups = Map.groupBy(standing, ({ task, blocker }) =>
    JSON.stringify([task.contractId ?? task.id, blocker.reason]),
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group.toSorted(byAge);
    if (first === undefined) return [];
    const { id, contractId, since } = first.task;
    const title = `${whoWaits(group)} cannot start: ${first.blocker.reason}`;
    return [{ id, contractId, since, title, act: first.blocker.act ?? whyAct(id) }];
  });
}

function endsThatStand(ends: readonly OwedEnd[]): readonly Standstill[] {
  return ends
    .filter((end) => !end.connected)
    .map((end) => {
      const { reason, act } = machineAway(end);
      const { contractId, daemonId: id, since } = end;
      return { id, contractId, since, title: reason, act: act ?? whyAct(contractId) };
    });
}

const namedMost = 3;

function whoWaits(group: readonly Standing[]): string {
  const [lead] = group.filter(({ task }) => task.isSupervisor);
  if (lead !== undefined && group.length === 1) return 'The supervisor';
  const names = group
    .toSorted(byAge)
    .slice(0, namedMost)
    .map(({ task }) => task.name);
  const more = group.length > namedMost ? ` and ${group.length - namedMost} more` : '';
  return `${group.length === 1 ? 'Task' : 'Tasks'} ${names.join(', ')}${more}`;
}

function byAge(a: Standing, b: Standing): number {
  return (
    a.task.since.getTime() - b.task.since.getTime() ||
    Number(a.task.id > b.task.id) - Number(a.task.id < b.task.id)
  );
}

const whyAct = (id: string) => `makima why ${id}`;
