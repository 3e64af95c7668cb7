// `makima down`: drains the stack that runs in this home; with --purge removes what it kept.
// Why: stopping is asked of whoever started it, so that the order of draining is the same.
// Law: no process is signalled that is not the one in the state file; only folders that makima
// made are removed, and each is named; a machine that was joined by hand is never removed, whether its
// daemon lives or not, and is named.
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { guestParts, homeParts, type Home } from '../home.ts';
import { livesIn, machineBeside, machinesIn } from '../machines-beside.ts';
import { endProcess, signalProcess, waitForEnd } from '../process-identity.ts';
import { lockOwner } from '../start-lock.ts';
import { readState, removeState } from '../state-file.ts';
import { exitCodes, readOptions, say, type Command } from './command.ts';

const drainTimeoutMs = 120_000;

export const downCommand: Command = {
  summary: 'stop everything, and with --purge forget everything',
  help: `Usage: makima down [--purge]

Drains the daemon, the services, Redis and Postgres, in this order.

      --purge  then remove all data, secrets and logs of this home, and say what was removed; a daemon
               that was joined by hand stays, and is named with the commands that end it

Example: makima down`,
  run: async ({ home, env, args }) => {
    const { values } = readOptions(args, { purge: { type: 'boolean' } });
    say((await stopStack(home)) ? 'stopped' : 'nothing runs here');
    if (values.purge) purge(home, env);
    return exitCodes.ok;
  },
};

/** Says whether there was anything to stop. */
const stopStack = async (home: Home): Promise<boolean> => {
  const supervisor = lockOwner(home);
  if (supervisor) {
    signalProcess(supervisor, 'SIGTERM');
    if (!(await waitForEnd(supervisor, drainTimeoutMs))) await endProcess(supervisor, 'SIGKILL', 0);
  }
  const leftovers = await endLeftovers(home);
  removeState(home);
  return supervisor !== undefined || leftovers;
};

const endLeftovers = async (home: Home): Promise<boolean> => {
  const ended = await Promise.all(
    (readState(home)?.processes ?? []).map(async ({ kind, pid, startTime }) => {
      if (pid === null || startTime === null) return false;
      const signal = kind === 'postgres' ? 'SIGINT' : 'SIGTERM';
      const alive = signalProcess({ pid, startTime }, signal);
      if (alive) await endProcess({ pid, startTime }, signal, 10_000);
      return alive;
    }),
  );
  return ended.includes(true);
};

const purge = (home: Home, env: NodeJS.ProcessEnv): void => {
  for (const part of [...homeParts, ...guestParts]) {
    const folder = join(home.root, part);
    if (!existsSync(folder)) continue;
    const inhabited = inhabitantsOf(folder, part);
    if (inhabited.length === 0) {
      rmSync(folder, { recursive: true, force: true });
      console.log(`removed ${folder}`);
    } else console.log(inhabited.join('\n'));
  }
  removeEmpty(home);
  const beside = machineBeside(home, env);
  if (beside !== undefined) console.log(beside);
};

/** The stack's own daemon is stopped and goes with its home; what somebody joined by hand is theirs. */
const inhabitantsOf = (folder: string, part: string): string[] =>
  part === 'joined' ? machinesIn(folder) : [livesIn(folder) ?? []].flat();

const removeEmpty = (home: Home): void => {
  if (!existsSync(home.root)) return;
  const others = readdirSync(home.root);
  if (others.length === 0) {
    rmdirSync(home.root);
    console.log(`removed ${home.root}`);
  } else {
    console.log(`left ${home.root}, which holds other things: ${others.join(', ')}`);
  }
};
