// A program as data: the command line, environment and stop signal of a process that somebody else starts.
// Why: launchers describe, supervisors start; the same description serves the stack, the tests and the chaos runs.
// Law: a program started from here never outlives the process that started it, even after a kill -9.
import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process';

export interface Program {
  command: string;
  args: readonly string[];
  /** The whole environment of the process: nothing is inherited beside it. */
  env: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** The signal that asks the process to finish its work and leave. */
  stopSignal: NodeJS.Signals;
}

let setprivWorks: boolean | undefined;

const canTether = (): boolean => {
  setprivWorks ??= spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true']).status === 0;
  return setprivWorks;
};

/**
 * The same program, sent its stop signal by the kernel when the process that started it dies.
 * Where setpriv (util-linux) is missing the program is returned as it is.
 */
export const tethered = (program: Program): Program => {
  if (!canTether()) return program;
  const signal = program.stopSignal.replace(/^SIG/, '');
  return {
    ...program,
    command: 'setpriv',
    args: ['--pdeathsig', signal, '--', program.command, ...program.args],
  };
};

/**
 * Starts a program tethered to this process, in a session of its own: a Ctrl-C at the terminal
 * reaches the one who started it, who then stops it in the right order.
 */
export const startProgram = (program: Program, stdio: StdioOptions): ChildProcess => {
  const { command, args, env, cwd, uid, gid } = tethered(program);
  return spawn(command, [...args], {
    env,
    stdio,
    detached: true,
    ...(cwd === undefined ? {} : { cwd }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
};
