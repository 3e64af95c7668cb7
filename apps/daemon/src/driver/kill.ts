/**
 * Ends, freezes and finds the processes of runs. An agent's tools start sessions of their own, so a signal to
 * the agent's group does not reach them: after the agent is gone, everything that carries its run id goes.
 *
 * Law: a process is only ever signalled by pid and start time together, and only if it belongs to a run of
 * ours. When `endRun` or `sweepLeftovers` has returned, no process of those runs is left.
 */
import type { ProcessName } from './process-table.ts';
import { bootId, isAlive, processesOfRuns, processRow } from './process-table.ts';
import type { RunFile } from './run-file.ts';
import { homesWithRun, readRunFile, removeRunFile } from './run-file.ts';

/** Rounds of a sweep: a process that forks while it is swept is found by the next round. */
const sweepRounds = 20;

function signal(name: ProcessName, signalName: NodeJS.Signals): boolean {
  if (!isAlive(name)) return false;
  try {
    process.kill(name.pid, signalName);
    return true;
  } catch {
    return false;
  }
}

const pause = (ms: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, ms);
  });

/** Waits until that process is gone; false when it is still there after `ms`. */
async function gone(name: ProcessName, ms: number): Promise<boolean> {
  const until = performance.now() + ms;
  for (let stepMs = 5; isAlive(name); stepMs = Math.min(stepMs * 2, 50)) {
    if (performance.now() >= until) return false;
    await pause(stepMs);
  }
  return true;
}

/** Every living process of the run: the agent, its descendants, and orphans that carry the run's id. */
export function runProcesses(
  run: Pick<RunFile, 'runId' | 'pid' | 'startTime'>,
): readonly ProcessName[] {
  const roots = isAlive(run) ? [run.pid] : [];
  return processesOfRuns(new Set([run.runId]), roots);
}

/**
 * TERM to the agent and KILL after `graceMs`, without grace KILL alone; then the sweep of all that outlived it.
 * @returns how many processes besides the agent had to be killed.
 */
export async function endRun(
  run: Pick<RunFile, 'runId' | 'pid' | 'startTime'>,
  options: { readonly graceMs: number },
): Promise<number> {
  const family = runProcesses(run);
  // A frozen process hears TERM only when it goes on: without grace it must not, another may have its work.
  if (options.graceMs > 0 && signal(run, 'SIGTERM')) {
    for (const name of family) signal(name, 'SIGCONT');
    await gone(run, options.graceMs);
  }
  if (signal(run, 'SIGKILL')) await gone(run, 2000);
  return sweep(new Set([run.runId]), family);
}

/** Kills every process of these runs and of `known` until none is left. */
async function sweep(runIds: ReadonlySet<string>, known: readonly ProcessName[]): Promise<number> {
  const killed = new Set<number>();
  for (let round = 0; round < sweepRounds; round += 1) {
    const roots = known.filter(isAlive);
    const left = processesOfRuns(
      runIds,
      roots.map((name) => name.pid),
    );
    if (left.length === 0) break;
    for (const name of left) if (signal(name, 'SIGKILL')) killed.add(name.pid);
    for (const name of left) await gone(name, 1000);
  }
  return killed.size;
}

/** What a daemon's start found of its former life, and ended. */
export interface Leftover {
  readonly runId: string;
  readonly home: string;
  /** The agent itself was still alive. */
  readonly agentAlive: boolean;
}

/**
 * For the start of a daemon, before anything is resumed: ends every process that a run file below `runsDir`
 * or its run id names, and removes the run files. Nothing is adopted.
 */
export async function sweepLeftovers(runsDir: string): Promise<readonly Leftover[]> {
  const boot = bootId();
  const found: { home: string; run: RunFile; alive: boolean }[] = [];
  for (const home of homesWithRun(runsDir)) {
    const run = readRunFile(home);
    if (run === null) continue;
    found.push({ home, run, alive: run.bootId === boot && isAlive(run) });
  }
  const agents = found.filter(({ alive }) => alive).map(({ run }) => run);
  for (const run of agents) signal(run, 'SIGKILL');
  await sweep(new Set(found.map(({ run }) => run.runId)), agents);
  for (const { home } of found) removeRunFile(home);
  return found.map(({ home, run, alive }) => ({ home, runId: run.runId, agentAlive: alive }));
}

/**
 * Stops every process of the run where it stands; repeated until all stand still, since a process that is not
 * yet stopped may still start another.
 * @returns how many stand still.
 */
export function freezeRun(run: Pick<RunFile, 'runId' | 'pid' | 'startTime'>): number {
  for (let round = 0; round < sweepRounds; round += 1) {
    const moving = runProcesses(run).filter((name) => !standsStill(name));
    if (moving.length === 0) break;
    for (const name of moving) signal(name, 'SIGSTOP');
  }
  return runProcesses(run).filter(standsStill).length;
}

/** Stopped, or held in the kernel until a child of its that is stopped has begun its program. */
function standsStill(name: ProcessName): boolean {
  const state = processRow(name.pid)?.state;
  return state === undefined || state === 'T' || state === 't' || state === 'D';
}

/** Lets a frozen run go on. Returns how many processes were told. */
export function thawRun(run: Pick<RunFile, 'runId' | 'pid' | 'startTime'>): number {
  return runProcesses(run).filter((name) => signal(name, 'SIGCONT')).length;
}
