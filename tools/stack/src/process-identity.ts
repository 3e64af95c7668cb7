// Who a process is: its id together with the moment it started.
// Why: process ids are used again; a number from a file may belong to somebody else today.
// Law: no signal is sent to a process that only has the right number.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ProcessIdentity {
  pid: number;
  /** Clock ticks since boot and the boot they belong to; opaque, compared for equality. */
  startTime: string;
}

/** The identity of a living process; undefined when there is none, or only its corpse. */
export const identify = (pid: number): ProcessIdentity | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets and may contain anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTicks] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X' || startTicks === undefined) return undefined;
    return { pid, startTime: `${startTicks}@${bootId()}` };
  } catch {
    return undefined;
  }
};

const bootId = (): string =>
  readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().slice(0, 8);

export const isAlive = ({ pid, startTime }: ProcessIdentity): boolean =>
  identify(pid)?.startTime === startTime;

/** Sends a signal if it is still the same process; says whether it was sent. */
export const signalProcess = (identity: ProcessIdentity, signal: NodeJS.Signals): boolean => {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch {
    return false;
  }
};

/** Waits for the end of a process that is not our child; says whether it came in time. */
export const waitForEnd = async (
  identity: ProcessIdentity,
  timeoutMs: number,
): Promise<boolean> => {
  const deadline = performance.now() + timeoutMs;
  while (isAlive(identity)) {
    if (performance.now() > deadline) return false;
    await sleep(20);
  }
  return true;
};

/** Asks with `signal`, then insists with SIGKILL after the deadline. */
export const endProcess = async (
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
  timeoutMs: number,
): Promise<void> => {
  signalProcess(identity, signal);
  if (await waitForEnd(identity, timeoutMs)) return;
  signalProcess(identity, 'SIGKILL');
  await waitForEnd(identity, 5000);
};
