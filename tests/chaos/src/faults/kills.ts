// Deaths: SIGKILL to one process, at any moment; and to one that has just come to a named place.
import { liveAgents } from '../house/agents.ts';
import type { House } from '../house/house.ts';
import { machineOf } from '../house/machine-of.ts';
import { treeOf } from '../house/process-tree.ts';
import { racepoints, type RaceProcess } from '../house/race.ts';
import { aimedAt } from '../schedule.ts';
import type { Fault, Strike } from './fault.ts';

/** The keeper of processes starts it again. */
export function kill(service: string): Fault {
  return {
    about: `SIGKILL to the ${service}`,
    recovery: 'probe',
    strike: (house) => killProcess(house, service),
  };
}

export const killDaemon: Fault = {
  about: 'SIGKILL to a daemon; its agents end with it',
  recovery: 'agents',
  isAloneAtTimes: true,
  strike(house, aim) {
    const name = aimedAt(robustMachines(house), aim.at);
    if (name === undefined) return null;
    const agents = agentsOf(house, name);
    const strike = killProcess(house, name);
    return strike && { ...strike, touches: [name], ended: agents };
  },
};

export const killAgent: Fault = {
  about: 'SIGKILL to the process of one agent',
  recovery: 'agents',
  isAloneAtTimes: true,
  strike(house, aim) {
    const agent = aimedAt(fragile(house), aim.at);
    if (agent === undefined) return null;
    const { pid, task, attempt } = agent;
    const at = Date.now();
    process.kill(pid, 'SIGKILL');
    return {
      at,
      hit: `agent ${pid}`,
      touches: [],
      ended: [{ task, attempt }],
      evidence: () => endedWithoutWord(house, task, attempt),
    };
  },
};

/** A place in the code; the process ends when it comes there next. */
export const killAtRacepoint: Fault = {
  about:
    'the end of a process at a named place: between commit and answer, add and mark, intent and start',
  recovery: 'none',
  strike(house, aim) {
    const places = Object.entries(racepoints).flatMap(([process, points]) =>
      points.map((point) => ({ process: process as RaceProcess, point })),
    );
    const place = aimedAt(places, aim.at);
    return place === undefined ? null : armed(house, place.process, place.point);
  },
};

export function armed(house: House, process: string, point: string): Strike {
  const before = house.process(process).pid;
  house.race.arm(process, point);
  return {
    hit: `${process} at ${point}`,
    evidence: () =>
      house.race.sprung(process, point) && isReplaced(house, process, before)
        ? `the trap sprang and ${process} was started again`
        : undefined,
  };
}

/**
 * More than five restorations in a quarter of an hour are stopped on purpose, for a person to look: a run that
 * kills one agent more often than this would only prove that.
 */
const mostKillsPerTask = 3;

/** A task is given up after so many attempts, on purpose too: those whose agents may all lose one more. */
export function robustMachines(house: House): readonly string[] {
  // Where there is one machine a run is short, and its supervisors, which are never given up, are the oldest.
  if (house.machines.length === 1) return house.machines;
  const last = liveAgents(house.ledger).filter(({ attempt }) => attempt > mostKillsPerTask);
  const spared = new Set(last.map(({ pid }) => machineOf(house, pid)));
  return house.machines.filter((name) => !spared.has(name));
}

function fragile(house: House): ReturnType<typeof liveAgents> {
  return liveAgents(house.ledger).filter(({ attempt }) => attempt <= mostKillsPerTask);
}

/** Where there are several machines, nobody outside knows whose an agent is: its parent does. */
function agentsOf(house: House, machine: string): { task: string; attempt: number }[] {
  const below = new Set(treeBelow(house, machine));
  return liveAgents(house.ledger)
    .filter(({ pid }) => below.has(pid))
    .map(({ task, attempt }) => ({ task, attempt }));
}

function treeBelow(house: House, machine: string): number[] {
  const { pid } = house.process(machine);
  return pid === null ? [] : treeOf(pid);
}

export function killProcess(house: House, name: string): Strike | null {
  const one = house.process(name);
  const { pid } = one;
  if (pid === null) return null;
  const at = Date.now();
  one.signal('SIGKILL');
  return {
    at,
    hit: `${name} (pid ${pid})`,
    evidence: () => (isReplaced(house, name, pid) ? `${name} was started again` : undefined),
  };
}

function isReplaced(house: House, name: string, pid: number | null): boolean {
  const now = house.process(name);
  return now.pid !== null && now.pid !== pid && now.isReady;
}

/** Either its attempt was lost, or it had said all that it had to say. */
async function endedWithoutWord(
  { sql }: House,
  task: string,
  attempt: number,
): Promise<string | undefined> {
  const [row] = await sql<{ state: string }[]>`
    select state from task_attempts where task_id = ${task} and attempt = ${attempt}
       and state not in ('assigned', 'running')`.catch(() => []);
  return row === undefined ? undefined : `its attempt is ${row.state}`;
}
